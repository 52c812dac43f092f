"""Batches of tasks on the page."""

from collections.abc import Mapping

BATCHES: Mapping[str, str] = {
    "Batch": "Lote",
    "Batches": "Lotes",
    "Tasks": "Tarefas",
    "Results": "Resultados",
    "Result": "Resultado",
    "Folder": "Pasta",
    "Attempt": "Tentativa",
    "attempt": "tentativa",
    "Time": "Tempo",
    "Machine": "Máquina",
    "Cut short": "Interrompidas",
    "None yet: super-agent batch TASKS.jsonl begins one.": "Nenhum ainda: super-agent batch TAREFAS.jsonl começa um.",
    "There is no such batch.": "Este lote não existe.",
    "The same command goes on where it stood.": "O mesmo comando continua de onde parou.",
    "Its results are not there any more.": "Seus resultados não estão mais lá.",
    "Lines that are no results": "Linhas que não são resultados",
    "To take a result into your own folder:": "Para levar um resultado à sua própria pasta:",
    "to be tried again": "será tentada de novo",
    "ended": "terminou",
    "stopped": "parou",
    "refused": "recusada",
    "killed": "morta",
    "the server failed": "o servidor falhou",
    "the executor failed": "o executor falhou",
    "{ready:,} of {tasks:,} tasks: {done:,} done, {failed:,} not":
        "{ready:,} de {tasks:,} tarefas: {done:,} feitas, {failed:,} não",
    "{number:,} running": "{number:,} em andamento",
    "about {time} left": "faltam cerca de {time}",
}  # fmt: skip
