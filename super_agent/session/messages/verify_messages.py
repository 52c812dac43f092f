"""The words of `verify` in English and Portuguese, by the keys of `core.instance.same_instance_proof`."""

from collections.abc import Mapping

from super_agent.core.instance.check_results import CheckLine
from super_agent.core.instance.diagnosis_messages import repair_text
from super_agent.core.settings import Language

BECAUSE: Mapping[Language, str] = {"en": "because", "pt": "porque"}
TITLES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "server": "Ollama runs",
        "model": "the configured model exists",
        "loaded": "the model is loaded",
        "url": "both halves use the same base URL",
        "name": "both halves use the same model name",
        "runner": "one runner serves both",
        "process": "it is the same process before and after",
        "contexts": "the contexts are isolated",
        "placement": "the model is where it should be",
        "context": "the context is safe",
        "sense": "the model answers sense",
        "others": "who else uses the server",
    },
    "pt": {
        "server": "o Ollama está rodando",
        "model": "o modelo configurado existe",
        "loaded": "o modelo está carregado",
        "url": "as duas metades usam a mesma URL",
        "name": "as duas metades usam o mesmo nome de modelo",
        "runner": "um só runner atende às duas",
        "process": "é o mesmo processo antes e depois",
        "contexts": "os contextos estão isolados",
        "placement": "o modelo está onde deveria",
        "context": "o contexto é seguro",
        "sense": "o modelo responde com sentido",
        "others": "quem mais usa o servidor",
    },
}

SEEN: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "error": "{what}",
        "no_server": "no server to ask",
        "server": "Ollama {version} at {url}",
        "model": "{model} exists ({family}, context {context} baked in)",
        "model_unbaked": "{model} exists ({family}, no context baked in)",
        "no_model": "no model to look for",
        "loaded": "{row}, context {context}, {mib} MiB",
        "loaded_shared": "{row}, context {context}, {mib} MiB: the same weights and runner as {model}",
        "loaded_otherwise": "{row}, context {context}, {mib} MiB: not as {model} has it, so it is loaded anew on use",
        "idle": "{model} is not loaded now; the server is idle",
        "others_loaded": "{model} is not loaded now; loaded: {others}",
        "url": "AutoGen posts to {autogen}, the executor to {executor}",
        "url_spelt": "AutoGen posts to {autogen}, the executor to {executor}: two spellings of one server",
        "name": "AutoGen sends {autogen}, the executor {executor}",
        "runner": "AutoGen, executor, AutoGen: nothing was loaded (at most {load_ms} ms), context {after} unchanged",
        "gone": "the model is not loaded any more",
        "context_changed": "the context went from {before} to {after} tokens: it was reloaded",
        "reloaded": "the model was loaded anew ({load_ms} ms)",
        "process": "pid {pid}, the only one with these weights",
        "process_hidden": "not observable: the runner's process cannot be seen from here",
        "twice": "the weights are in memory more than once: pids {pids}",
        "other_process": "pid {was} before, {pid} after",
        "contexts": "a word told to AutoGen's side is in none of the executor's prompts",
        "contexts_mixed": "the word {word} is where it must not be",
        "in_vram": "all {mib} MiB in graphics memory",
        "in_ram": "all {mib} MiB in main memory, none in graphics memory",
        "partly_in_vram": "{outside} of {mib} MiB lie in main memory",
        "context": "{loaded} tokens loaded, baked in and budgeted",
        "context_small": "{loaded} tokens; real work needs {wanted}",
        "context_unbaked": "{loaded} tokens loaded, none baked in: another client can change it",
        "context_differs": "{loaded} tokens loaded, {baked} baked in, {budget} budgeted",
        "sense": "“{question}” is answered as it should be",
        "sense_garbage": "“{question}” is answered by “{answer}”",
        "sense_empty": "“{question}” is answered by nothing",
        "sense_crashed": "the runner failed: {what}",
        "no_reply": "the model gave no reply",
        "others": "other models: {models}; other programs: {programs}; server settings: {variables}",
        "others_remote": "other models: {models}; connections of a server elsewhere are not observable",
    },
    "pt": {
        "error": "{what}",
        "no_server": "não há servidor a quem perguntar",
        "server": "Ollama {version} em {url}",
        "model": "{model} existe ({family}, contexto {context} gravado nele)",
        "model_unbaked": "{model} existe ({family}, sem contexto gravado)",
        "no_model": "não há modelo a procurar",
        "loaded": "{row}, contexto {context}, {mib} MiB",
        "loaded_shared": "{row}, contexto {context}, {mib} MiB: os mesmos pesos e o mesmo runner que {model}",
        "loaded_otherwise": "{row}, contexto {context}, {mib} MiB: não como {model}; será recarregado no uso",
        "idle": "{model} não está carregado agora; o servidor está ocioso",
        "others_loaded": "{model} não está carregado agora; carregados: {others}",
        "url": "o AutoGen envia para {autogen}, o executor para {executor}",
        "url_spelt": "o AutoGen envia para {autogen}, o executor para {executor}: duas grafias de um só servidor",
        "name": "o AutoGen envia {autogen}, o executor {executor}",
        "runner": "AutoGen, executor, AutoGen: nada foi carregado (no máximo {load_ms} ms), contexto {after} igual",
        "gone": "o modelo não está mais carregado",
        "context_changed": "o contexto passou de {before} para {after} tokens: houve recarga",
        "reloaded": "o modelo foi carregado de novo ({load_ms} ms)",
        "process": "pid {pid}, o único com estes pesos",
        "process_hidden": "não observável: o processo do runner não pode ser visto daqui",
        "twice": "os pesos estão mais de uma vez na memória: pids {pids}",
        "other_process": "pid {was} antes, {pid} depois",
        "contexts": "uma palavra dita ao lado do AutoGen não está em nenhum prompt do executor",
        "contexts_mixed": "a palavra {word} está onde não pode estar",
        "in_vram": "todos os {mib} MiB na memória da GPU",
        "in_ram": "todos os {mib} MiB na memória principal, nada na da GPU",
        "partly_in_vram": "{outside} de {mib} MiB estão na memória principal",
        "context": "{loaded} tokens carregados, gravados e orçados",
        "context_small": "{loaded} tokens; trabalho de verdade precisa de {wanted}",
        "context_unbaked": "{loaded} tokens carregados, nenhum gravado: outro cliente pode mudá-lo",
        "context_differs": "{loaded} tokens carregados, {baked} gravados, {budget} orçados",
        "sense": "“{question}” é respondido como deve ser",
        "sense_garbage": "“{question}” é respondido com “{answer}”",
        "sense_empty": "“{question}” é respondido com nada",
        "sense_crashed": "o runner falhou: {what}",
        "no_reply": "o modelo não respondeu",
        "others": "outros modelos: {models}; outros programas: {programs}; ajustes do servidor: {variables}",
        "others_remote": "outros modelos: {models}; as conexões de um servidor remoto não são observáveis",
    },
}

FIXES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "error_fix": "{fix}",
        "up": "super-agent up loads it once and keeps it",
        "one_url": "Set OLLAMA_BASE_URL once, for both",
        "one_name": "Set DEFAULT_MODEL once, for both",
        "no_options": "Another client sends num_ctx or uses the base model: it should use this name and no options",
        "one_server": "Two servers run with the same models: end one (see `ps aux | grep 'ollama serve'`)",
        "gpu": "Without a GPU this is all there is; with one, see the server's log for why it is not used",
        "smaller": "It fits with a smaller context or quantization: super-agent up --context N",
        "other_model": "This model has no more than {limit} tokens: choose one with a longer context",
        "other_build": "The runner's build does not suit this processor, or the weights are broken: "
        "try another build of Ollama (the official one), or another quantization of the model",
        "report": "This is a fault of super-agent: please report it with this output",
        "stop_others": "Another model can push this one out of memory: ollama stop {first}",
        "tell_others": "Programs that use these weights should call them {model} and send no runner options",
        "server_settings": "They are the server's own; restart it without them where they are not meant",
        "bake": "super-agent up --model NAME --from {model} --context {wanted}",
    },
    "pt": {
        "error_fix": "{fix}",
        "up": "super-agent up carrega-o uma vez e o mantém",
        "one_url": "Defina OLLAMA_BASE_URL uma só vez, para as duas",
        "one_name": "Defina DEFAULT_MODEL uma só vez, para as duas",
        "no_options": "Outro cliente envia o seu num_ctx ou usa o modelo base: que use o mesmo nome e nenhuma opção",
        "one_server": "Há dois servidores com os mesmos modelos: encerre um (veja `ps aux | grep 'ollama serve'`)",
        "gpu": "Sem GPU é só isto; com uma, veja no log do servidor por que não é usada",
        "smaller": "Cabe com um contexto ou uma quantização menor: super-agent up --context N",
        "other_model": "Este modelo não tem mais que {limit} tokens: escolha um com contexto mais longo",
        "other_build": "O runner não foi compilado para este processador, ou os pesos estão corrompidos: "
        "tente outra compilação do Ollama (a oficial) ou outra quantização do modelo",
        "report": "Isto é uma falha do super-agent: relate-a, por favor, com esta saída",
        "stop_others": "Outro modelo pode tirar este da memória: ollama stop {first}",
        "tell_others": "Programas que usam estes pesos devem chamá-los {model} e não enviar opções do runner",
        "server_settings": "São do próprio servidor; reinicie-o sem eles se não forem desejados",
        "bake": "super-agent up --model NOME --from {model} --context {wanted}",
    },
}


def seen(line: CheckLine, language: Language) -> str:
    """What a check saw."""
    return SEEN[language][line.seen].format(**line.values)


def fix(line: CheckLine, language: Language) -> str:
    """What to do about it; empty where nothing is to be done."""
    if line.cause is not None:
        return repair_text(line.cause, language)
    return FIXES[language][line.fix].format(**line.values) if line.fix else ""
