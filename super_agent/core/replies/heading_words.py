"""The words around a path in a line that only says which file the block below is, in the languages models answer in."""

import re

_WORDS = (
    r"the|an?|new|updated?|modif(?:ied|y)|existing|edit(?:ed)?|chang(?:e[ds]?|ing)|creat(?:es?|ed|ing)|writ(?:e|ing)|"
    r"add(?:ing)?|final|full|complete[d]?|whole|entire|here(?:['’]s| is| are)?|this|it|is|contents?|code|of|for|in|to|"
    r"now|then|first(?:ly)?|second|third|next|finally|also|file\s*name|file[-_ ]?path|file(?:\s*\d+)?|path|module|"
    r"and|named|called|with|following|below|as|save[ds]?|version|corrected|fixed|revised|refactored|improved|step(?:\s*\d+)?|"
    r"script|source|replace|should|be|please|your|our|my|i|i['’](?:ll|ve)|will|have|let['’]?s|let|me|us|implementation|"
    r"arquivo|ficheiro|cri(?:e|ar|ando|ado|amos)|atualiz(?:e|ar|ado|ando)|novo|nov[ao]s|em|no|na|o|os|do|da|de|com|"
    r"seguinte|conteúdo|código|aqui|está|este|esta|esse|é|completo|completa|final|corrigid[oa]|agora|primeiro|depois|"
    r"segue|abaixo|passo(?:\s*\d+)?|salve|como|nome do arquivo|caminho|versão|"
    r"hier|ist|sind|die|der|das|den|eine?|neue[nrs]?|datei(?:name|pfad)?|inhalt|von|vollständige[rns]?|aktualisierte[rns]?|"
    r"korrigierte[rns]?|erstell(?:e|en|t)|schreibe|und|mit|folgende[mnrs]*|für|jetzt|zuerst|dann|pfad|schritt(?:\s*\d+)?|"
    r"archivo|aquí|el|la|contenido|completo|crea(?:r)?|actualizado|siguiente|nuevo|"
    r"fichier|nom du fichier|voici|le|du|contenu|complet|créez?|nouveau"
)
_SEPARATOR = r"\s*(?:[:=,—–]\s*)?"
LABEL = re.compile(rf"^(?:(?:{_WORDS})\b{_SEPARATOR})+", re.IGNORECASE)
"""Such words at the beginning of a line."""
_CHINESE = re.compile(
    r"以下|下面|这|這|是|为|為|修改|更新|修复|修正|优化|完整|最终|新|创建|新建|建立|编写|文件|檔案|路径|路徑|名称|名|代码|内容|版本|"
    r"如下|后|後|的|请|将|現在|现在|首先|然后|步骤|第|步|一|二|三|"
    r"ファイル|名|更新|作成|内容|コード|完全な|以下|の|です|は|新しい|修正|した|파일|файл"
)


def only_names_file(text: str) -> bool:
    """Whether what a line says beside a path is nothing but that the file follows."""
    plain = re.sub(r"[\s`*#:.,：，。、()>\d—–=-]+", " ", _CHINESE.sub(" ", text)).strip()
    return not plain or not LABEL.sub("", f"{plain} ").strip()
