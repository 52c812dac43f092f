"""The words of causes and of what repairs them, in English (events are in English) and Portuguese."""

from collections.abc import Mapping
from typing import Literal

from super_agent.core.causes import Cause, CauseKind

Language = Literal["en", "pt"]

CAUSES: Mapping[Language, Mapping[CauseKind, str]] = {
    "en": {
        "server_restarted": "the server was restarted",
        "model_replaced": "{model} was made anew under its name",
        "base_name": "a client uses {name}, which {model} was made from: the same weights with context {context}",
        "other_alias": "a client uses {name}, another alias of the same weights with context {context}",
        "foreign_context": "a client sends its own num_ctx: {context} tokens instead of the {baked} baked in",
        "keep_alive_ended": "its keep_alive ended at {until}",
        "displaced": "{name} took its place: the server keeps {limit} loaded (OLLAMA_MAX_LOADED_MODELS)",
        "memory": "{name} was loaded, and memory was probably not enough for both",
        "displaced_or_memory": "{name} took its place in memory",
        "unloaded": "it was unloaded (`ollama stop`, a keep_alive of 0), or its process ended",
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
        "keep_alive_ended": "o seu keep_alive acabou às {until}",
        "displaced": "{name} tomou o seu lugar: o servidor mantém {limit} carregado(s) (OLLAMA_MAX_LOADED_MODELS)",
        "memory": "{name} foi carregado, e provavelmente não havia memória para os dois",
        "displaced_or_memory": "{name} tomou o seu lugar na memória",
        "unloaded": "foi descarregado (`ollama stop`, um keep_alive de 0), ou o seu processo terminou",
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

REPAIRS: Mapping[Language, Mapping[CauseKind, str]] = {
    "en": {
        "server_restarted": "super-agent up --model {model}",
        "model_replaced": "super-agent up --model {model}",
        "base_name": "Let that client use {model}, then: super-agent up --model {model}",
        "other_alias": "Let that client use {model}, then: super-agent up --model {model}",
        "foreign_context": "Let that client send no num_ctx, then: super-agent up --model {model}",
        "keep_alive_ended": "super-agent up --model {model} (SUPER_AGENT_KEEP_ALIVE sets for how long)",
        "displaced": "Start the server with OLLAMA_MAX_LOADED_MODELS={more}, or: ollama stop {name}",
        "memory": "ollama stop {name}, then: super-agent up --model {model}",
        "displaced_or_memory": "ollama stop {name}, then: super-agent up --model {model}",
        "unloaded": "super-agent up --model {model}",
        "not_loaded_yet": "super-agent up --model {model}",
        "in_between": "Let every client use {model} and send no runner options, then: super-agent up --model {model}",
        "foreign_keep_alive": "Let that client send none, then: super-agent up --model {model}",
        "vram_shared": "ollama stop {name}, ollama stop {model}, then: super-agent up --model {model}",
        "prompt_cut": "Use a model with a larger context: super-agent up --model NAME --from {model} --context N",
    },
    "pt": {
        "server_restarted": "super-agent up --model {model}",
        "model_replaced": "super-agent up --model {model}",
        "base_name": "Faça esse cliente usar {model}, depois: super-agent up --model {model}",
        "other_alias": "Faça esse cliente usar {model}, depois: super-agent up --model {model}",
        "foreign_context": "Faça esse cliente não enviar num_ctx, depois: super-agent up --model {model}",
        "keep_alive_ended": "super-agent up --model {model} (SUPER_AGENT_KEEP_ALIVE diz por quanto tempo)",
        "displaced": "Inicie o servidor com OLLAMA_MAX_LOADED_MODELS={more}, ou: ollama stop {name}",
        "memory": "ollama stop {name}, depois: super-agent up --model {model}",
        "displaced_or_memory": "ollama stop {name}, depois: super-agent up --model {model}",
        "unloaded": "super-agent up --model {model}",
        "not_loaded_yet": "super-agent up --model {model}",
        "in_between": ("Faça todo cliente usar {model} sem opções do runner, depois: super-agent up --model {model}"),
        "foreign_keep_alive": "Faça esse cliente não enviar nenhum, depois: super-agent up --model {model}",
        "vram_shared": "ollama stop {name}, ollama stop {model}, depois: super-agent up --model {model}",
        "prompt_cut": "Use um modelo com contexto maior: super-agent up --model NOME --from {model} --context N",
    },
}

CONNECTED: Mapping[Language, str] = {"en": "; connected now: {names}", "pt": "; conectado agora: {names}"}


def cause_text(cause: Cause, language: Language = "en") -> str:
    """What happened, and which programs of others are connected."""
    text = CAUSES[language][cause.kind].format(**cause.values)
    return text + (CONNECTED[language].format(names=cause.connected) if cause.connected else "")


def repair_text(cause: Cause, language: Language = "en") -> str:
    """What repairs it."""
    return REPAIRS[language][cause.kind].format(**cause.values)
