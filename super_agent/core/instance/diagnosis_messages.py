"""The words of causes and of what repairs them, in English (events are in English) and Portuguese."""

from collections.abc import Mapping

from super_agent.core.instance.diagnosis import Cause, CauseKind
from super_agent.core.settings import Language

CAUSES: Mapping[Language, Mapping[CauseKind, str]] = {
    "en": {
        "server_restarted": "the server was restarted",
        "model_replaced": "{model} was made anew under its name",
        "base_name": "a client uses {name}, which {model} was made from: the same weights with context {context}",
        "other_alias": "a client uses {name}, another alias of the same weights with context {context}",
        "foreign_context": "a client sends its own num_ctx: {context} tokens instead of the {baked} baked in",
        "foreign_load": (
            "another client has it loaded with a context of {context} instead of the {baked} baked in: it sends its "
            "own num_ctx, or uses the base model"
        ),
        "keep_alive_ended": "its keep_alive ended at {until}",
        "displaced": "{name} took its place: the server keeps {limit} loaded (OLLAMA_MAX_LOADED_MODELS)",
        "memory": "{name} was loaded, and memory was probably not enough for both",
        "displaced_or_memory": "{name} took its place in memory",
        "unloaded": "it was unloaded (`ollama stop`, a keep_alive of 0, to be loaded otherwise), or its process ended",
        "not_loaded_yet": "nothing loaded it so far, as far as is known here",
        "in_between": (
            "between two looks another client sent runner options (num_ctx, num_gpu …), used the base model, or had it "
            "unloaded"
        ),
        "foreign_keep_alive": "another client sent its own keep_alive",
        "vram_shared": "{name} lies in graphics memory too, with {mib} MiB",
        "prompt_cut": "the prompt did not fit the context, and the server dropped its oldest messages",
    },
    "pt": {
        "server_restarted": "o servidor foi reiniciado",
        "model_replaced": "{model} foi refeito sob o mesmo nome",
        "base_name": "um cliente usa {name}, do qual {model} foi feito: os mesmos pesos com contexto {context}",
        "other_alias": "um cliente usa {name}, outro alias dos mesmos pesos com contexto {context}",
        "foreign_context": "um cliente envia o seu próprio num_ctx: {context} tokens em vez dos {baked} gravados",
        "foreign_load": (
            "outro cliente o carrega com {context} tokens de contexto em vez dos {baked} gravados: envia o seu próprio "
            "num_ctx, ou usa o modelo base"
        ),
        "keep_alive_ended": "o seu keep_alive acabou às {until}",
        "displaced": "{name} tomou o seu lugar: o servidor mantém {limit} carregado(s) (OLLAMA_MAX_LOADED_MODELS)",
        "memory": "{name} foi carregado, e provavelmente não havia memória para os dois",
        "displaced_or_memory": "{name} tomou o seu lugar na memória",
        "unloaded": "foi descarregado (`ollama stop`, keep_alive de 0, outra carga), ou o seu processo terminou",
        "not_loaded_yet": "nada o carregou até agora, pelo que se sabe aqui",
        "in_between": (
            "entre duas observações outro cliente enviou opções do runner (num_ctx, num_gpu …), usou o modelo base, ou "
            "ele foi descarregado"
        ),
        "foreign_keep_alive": "outro cliente enviou o seu próprio keep_alive",
        "vram_shared": "{name} também está na memória da GPU, com {mib} MiB",
        "prompt_cut": "o prompt não coube no contexto, e o servidor descartou as mensagens mais antigas",
    },
}

PREVENTIONS: Mapping[Language, Mapping[CauseKind, str]] = {
    "en": {
        "server_restarted": "",
        "model_replaced": "",
        "base_name": "Let that client use {model}",
        "other_alias": "Let that client use {model}",
        "foreign_context": "Let that client send no num_ctx",
        "foreign_load": "Let that client use {model} and send no num_ctx",
        "keep_alive_ended": "Set SUPER_AGENT_KEEP_ALIVE to keep it longer",
        "displaced": "Start the server with OLLAMA_MAX_LOADED_MODELS={more}, or: ollama stop {name}",
        "memory": "ollama stop {name}",
        "displaced_or_memory": "ollama stop {name}",
        "unloaded": "",
        "not_loaded_yet": "",
        "in_between": "Let every client use {model} and send no runner options",
        "foreign_keep_alive": "Let that client send none",
        "prompt_cut": "Use a model with a larger context: super-agent up --model NAME --from {model} --context N",
        "vram_shared": "ollama stop {name}, ollama stop {model}",
    },
    "pt": {
        "server_restarted": "",
        "model_replaced": "",
        "base_name": "Faça esse cliente usar {model}",
        "other_alias": "Faça esse cliente usar {model}",
        "foreign_context": "Faça esse cliente não enviar num_ctx",
        "foreign_load": "Faça esse cliente usar {model} e não enviar num_ctx",
        "keep_alive_ended": "Ajuste SUPER_AGENT_KEEP_ALIVE para mantê-lo por mais tempo",
        "displaced": "Inicie o servidor com OLLAMA_MAX_LOADED_MODELS={more}, ou: ollama stop {name}",
        "memory": "ollama stop {name}",
        "displaced_or_memory": "ollama stop {name}",
        "unloaded": "",
        "not_loaded_yet": "",
        "in_between": "Faça todo cliente usar {model} e não enviar opções do runner",
        "foreign_keep_alive": "Faça esse cliente não enviar nenhum",
        "prompt_cut": "Use um modelo com contexto maior: super-agent up --model NOME --from {model} --context N",
        "vram_shared": "ollama stop {name}, ollama stop {model}",
    },
}
"""What keeps it from happening again, where somebody else has to do something."""
AGAIN: Mapping[Language, str] = {"en": ", then: {command}", "pt": ", depois: {command}"}
NO_LOAD: frozenset[CauseKind] = frozenset({"prompt_cut"})
"""What loading the model again does not mend."""

CONNECTED: Mapping[Language, str] = {"en": "; connected now: {names}", "pt": "; conectado agora: {names}"}


def cause_text(cause: Cause, language: Language = "en") -> str:
    """What happened, and which programs of others are connected."""
    text = CAUSES[language][cause.kind].format(**cause.values)
    return text + (CONNECTED[language].format(names=cause.connected) if cause.connected else "")


def prevention_text(cause: Cause, language: Language = "en") -> str:
    """What somebody else has to do; empty where that is nothing."""
    return PREVENTIONS[language][cause.kind].format(**cause.values)


def repair_text(cause: Cause, language: Language = "en") -> str:
    """What repairs it: what others have to do, then the command that makes the instance ours again."""
    others = prevention_text(cause, language)
    if cause.kind in NO_LOAD:
        return others
    command = f"super-agent up --model {cause.values['model']}"
    return others + AGAIN[language].format(command=command) if others else command
