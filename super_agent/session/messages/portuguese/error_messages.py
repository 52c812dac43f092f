"""What stands in the way of what a person does on the page, and why a person is asked.

These are made far from any view, in English and with their values in them, so braces stand for any text here.
"""

from collections.abc import Mapping

ERRORS: Mapping[str, str] = {
    # Forms and addresses.
    "the task is empty": "a tarefa está vazia",
    "Say what is to be done": "Diga o que deve ser feito",
    "{mode} is no way to work": "{mode} não é um modo de trabalhar",
    "Choose one of: {modes}": "Escolha entre: {modes}",
    "the setup command runs with the network": "o comando de preparação roda com a rede",
    "Say that this is meant, or leave it out": "Diga que é isso mesmo, ou deixe-o de fora",
    "there is no folder {path}": "não existe a pasta {path}",
    "Choose one of those shown": "Escolha uma das mostradas",
    "the folder {path} is in none of those where runs may begin ({roots})":
        "a pasta {path} não está em nenhuma daquelas onde execuções podem começar ({roots})",
    "Start the page with --root FOLDER": "Inicie a página com --root PASTA",
    "{name} {value} is no number that is possible here": "{name} {value} não é um número possível aqui",
    "Give one from {least} to {most}, or none": "Dê um de {least} a {most}, ou nenhum",
    "the run could not be started": "a execução não pôde ser iniciada",
    "the run said nothing; it may still begin: see the list of sessions":
        "a execução não disse nada; ainda pode começar: veja a lista de sessões",
    "the check `{command}` names a program that does not exist": "o teste `{command}` cita um programa que não existe",
    "Correct --check": "Corrija o teste",
    "the setup command `{command}` {how}: {last}": "o comando de preparação `{command}` {how}: {last}",
    "Correct --setup": "Corrija a preparação",
    "See .env.example for what is allowed": "Veja em .env.example o que é permitido",
    "the workspace {path} does not exist": "a pasta de trabalho {path} não existe",
    "Create it: mkdir -p {path}": "Crie-a: mkdir -p {path}",
    "the workspace {path} is not a folder": "a pasta de trabalho {path} não é uma pasta",
    "the workspace {path} is the home folder or holds it":
        "a pasta de trabalho {path} é a pasta pessoal ou a contém",
    "the workspace {path} holds {inner}, which belongs to the running program":
        "a pasta de trabalho {path} contém {inner}, que pertence ao programa em execução",
    "the workspace {path} lies in {inner}, which belongs to the running program":
        "a pasta de trabalho {path} fica em {inner}, que pertence ao programa em execução",
    "the workspace {path} cannot be written": "não se pode gravar na pasta de trabalho {path}",
    "Make it writable or choose another": "Permita gravar nela ou escolha outra",
    # A run that is spoken to.
    "the run has ended": "a execução terminou",
    "the run has ended, or cannot be reached": "a execução terminou, ou não pode ser alcançada",
    "the run does not answer": "a execução não responde",
    "It may be suspended; see its page": "Ela pode estar suspensa; veja a sua página",
    "See its page": "Veja a sua página",
    "that question was answered already, or taken back": "essa pergunta já foi respondida, ou retirada",
    "no code was left": "não restou código",
    "Skip it instead": "Em vez disso, pule-o",
    "the request is none that a run knows": "o pedido não é nenhum que uma execução conheça",
    # A session that is gone on with or taken back.
    "session {id} is held by {holder}": "a sessão {id} está com {holder}",
    "Wait for it, or end that process": "Espere por ele, ou encerre esse processo",
    "session {id} has no snapshots of its files": "a sessão {id} não tem cópias dos seus arquivos",
    "It ran without them, or ended before its first; see super-agent sessions for others":
        "Ela rodou sem elas, ou terminou antes da primeira; veja outras em super-agent sessions",
    "session {id} has no snapshots around turn {turn}": "a sessão {id} não tem cópias em volta do turno {turn}",
    "session {id} has no snapshot from the end of turn {turn}": "a sessão {id} não tem cópia do fim do turno {turn}",
    "session {id} has no undo that could be taken back": "a sessão {id} não tem nada desfeito que se possa refazer",
    "Leave out --redo to undo it": "Sem isso, ela é desfeita",
    "It has turns {first} to {last}": "Ela tem os turnos {first} a {last}",
    "It was ended before its first turn": "Ela foi encerrada antes do primeiro turno",
    "session {id} has nothing to go on from: it ended before its first turn could begin":
        "a sessão {id} não tem de onde continuar: terminou antes que o primeiro turno começasse",
    "Give the task again with super-agent run": "Dê a tarefa de novo com super-agent run",
    "session {id} ended at its limit: {detail}": "a sessão {id} terminou no seu limite: {detail}",
    "Give it --more-turns N": "Dê-lhe mais turnos",
    "Give it --max-time SECONDS": "Dê-lhe mais segundos",
    "Give it --max-tokens N": "Dê-lhe mais tokens",
    "session {id} has ended: {detail}": "a sessão {id} terminou: {detail}",
    'Say what is to be done next: super-agent resume {id} "…"': "Diga o que a sessão {id} deve fazer a seguir",
    "the workspace's snapshots are held by {holder} for {seconds} s":
        "as cópias da pasta de trabalho estão com {holder} há {seconds} s",
    "End it, or let it go on (fg, kill -CONT)": "Encerre-o, ou deixe-o continuar (fg, kill -CONT)",
    "the workspace cannot be restored wholly: {what}":
        "a pasta de trabalho não pode ser restaurada por inteiro: {what}",
    "Mend it and try again": "Conserte isso e tente de novo",
    "git is not installed, and snapshots are kept by it": "o git não está instalado, e é ele que guarda as cópias",
    "Install git, or say --no-snapshots to go without undo": "Instale o git, ou use --no-snapshots, sem desfazer",
    "Make room, or say --no-snapshots to go without undo": "Libere espaço, ou use --no-snapshots, sem desfazer",
    # The server.
    "no Ollama server answers at {url} ({reason})": "nenhum servidor Ollama responde em {url} ({reason})",
    "Start it with `super-agent up`, or set OLLAMA_BASE_URL":
        "Inicie-o com `super-agent up`, ou defina OLLAMA_BASE_URL",
    "{url} sent no {what} within {seconds} s": "{url} não enviou nada em {seconds} s ({what})",
    "what answers at {url} is not Ollama ({seen})": "o que responde em {url} não é o Ollama ({seen})",
    "Set OLLAMA_BASE_URL to the Ollama server": "Defina OLLAMA_BASE_URL com o servidor Ollama",
    "{url} refused access (HTTP {status})": "{url} negou o acesso (HTTP {status})",
    "Set SUPER_AGENT_API_KEY": "Defina SUPER_AGENT_API_KEY",
    "See the server's log": "Veja o log do servidor",
    # Why a person is asked, and what was decided without one.
    "there is no sandbox: it runs with your own rights": "não há sandbox: roda com os seus próprios direitos",
    "it has the network: the internet, and servers on this machine":
        "tem a rede: a internet e servidores desta máquina",
    "you asked for it (--approve always)": "você pediu (--approve always)",
    "the user said always for this run": "o usuário disse sempre, nesta execução",
    "the user said always for this tool": "o usuário disse sempre, para esta ferramenta",
    "the user's list allows it": "a lista do usuário permite",
    "the user skipped it. Do something else, or finish.": "o usuário o pulou. Faça outra coisa, ou termine.",
    "the user skipped it: {reason}. Do something else, or finish.":
        "o usuário o pulou: {reason}. Faça outra coisa, ou termine.",
    # Why a batch ended.
    "its time of {seconds} s is over": "seu tempo de {seconds} s acabou",
    "{number} tasks were not done": "{number} tarefas não foram feitas",
    "{number} tasks in a row failed without a verdict: {detail}":
        "{number} tarefas seguidas falharam sem veredito: {detail}",
}  # fmt: skip
