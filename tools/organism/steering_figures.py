"""Figures 4 and 5: what adding a direction at one block's input does, beside random vectors of the same norm."""

import torch
from figures import answer_of
from runner import Steering, before_question, instruction, whole
from stats import proportion

COEFFICIENTS = (1, 2)
CONTROL_SEEDS = (0, 1, 2)


def controls(direction):
    """A random vector for each seed with the norm of every row."""
    for seed in CONTROL_SEEDS:
        noise = torch.randn(direction.shape, generator=torch.Generator().manual_seed(seed), dtype=direction.dtype)
        yield noise * direction.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True)


def replies(measured):
    """Fig 4: refusals of harmless prompts with a direction on the instruction's tokens, by layer."""
    prompts = measured.prompts("accepted_harmless")

    def refusals(vectors, scale):
        counts = [measured.runner.refused(measured.runner.replies(
            prompts, Steering(layer, scale * vector[layer], instruction))) for vector in vectors
            for layer in range(len(measured.runner.blocks))]
        layers = len(measured.runner.blocks)
        return [proportion(sum(sum(refused) for refused in counts[layer::layers]),
                           sum(len(refused) for refused in counts[layer::layers])) for layer in range(layers)]

    unsteered = measured.refused("accepted_harmless")
    return {"unsteered": proportion(sum(unsteered), len(unsteered)),
            **{name: {scale: refusals(vectors, scale) for scale in COEFFICIENTS} for name, vectors in (
                ("harmfulness", [measured.harmfulness]), ("refusal", [measured.refusal]),
                ("random", list(controls(measured.harmfulness))))}}


def inversion(measured):
    """Fig 5: answers to the main question, by layer. `no` is the share of "No" in all answers, `other` what is neither
    yes nor no. Both scopes for both directions; +v_r also for refusal within harmless prompts."""
    harmless = _questions(measured, "accepted_harmless")
    harmful = _questions(measured, "refused_harmful")
    directions = {"v_h": measured.harmfulness, "v_r": measured.refusal, "v_r within harmless": measured.refusal_harmless,
                  "random": next(controls(measured.harmfulness))}
    result = {"unsteered": {"harmless": _answers(measured, harmless), "harmful": _answers(measured, harmful)}}
    for name, direction in directions.items():
        for scope in (before_question, whole):
            for coefficient in COEFFICIENTS:
                for prompts, sign, text in ((harmless, 1, "harmless +"), (harmful, -1, "harmful -")):
                    result[f"{text}{coefficient} {name}, {scope.__name__}"] = [_answers(
                        measured, prompts, Steering(layer, sign * coefficient * direction[layer], scope))
                        for layer in range(len(measured.runner.blocks))]
    return result


def _questions(measured, name):
    return [measured.runner.templates.inversion(line["instruction"], "main") for line in measured.lines(name)]


def _answers(measured, prompts, steering=None):
    answers = [answer_of(text) for text in measured.runner.replies(prompts, steering)]
    return {"no": proportion(sum(answer is False for answer in answers), len(answers)),
            "other": sum(answer is None for answer in answers)}
