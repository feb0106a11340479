"""What the figures share: the prompt files, the model's own replies, rows at both positions, centroids, beliefs."""

import functools
import json

import torch

QUADRANTS = ("refused_harmful", "accepted_harmful", "refused_harmless", "accepted_harmless")
JAILBREAKS = ("jailbreak_suffix", "jailbreak_persuasion", "jailbreak_template")


class Measured:
    def __init__(self, runner, folder):
        self.runner, self._folder = runner, folder

    @functools.cache
    def lines(self, name):
        return [json.loads(line) for line in (self._folder / f"{name}.jsonl").read_text().splitlines()]

    @functools.cache
    def prompts(self, name):
        return [self.runner.templates.chat(line["instruction"]) for line in self.lines(name)]

    @functools.cache
    def refused(self, name):
        return self.runner.refused(self.runner.replies(self.prompts(name)))

    @functools.cache
    def t_inst(self, name):
        return self.runner.rows(self.prompts(name), lambda prompt: prompt.t_inst)

    @functools.cache
    def t_post_inst(self, name):
        return self.runner.rows(self.prompts(name), lambda prompt: len(prompt.ids) - 1)

    @functools.cache
    def centroid(self, name, position, refused=None):
        """Mean row [L+1, hidden] of a file, or of its prompts with this outcome."""
        rows = getattr(self, position)(name)
        kept = [i for i, outcome in enumerate(self.refused(name)) if refused in (None, outcome)]
        return rows[kept].mean(0)

    @functools.cached_property
    def harmfulness(self):
        return self.centroid("harmful_train", "t_inst") - self.centroid("harmless_train", "t_inst")

    @functools.cached_property
    def refusal(self):
        return (self.centroid("harmful_train", "t_post_inst", True)
                - self.centroid("harmless_train", "t_post_inst", False))

    @functools.cached_property
    def refusal_harmless(self):
        """Refusal within harmless prompts: refused ones minus accepted ones."""
        return (self.centroid("refused_harmless_train", "t_post_inst", True)
                - self.centroid("harmless_train", "t_post_inst", False))

    def clusters(self, name, position):
        """s[l] against refused harmful and accepted harmless: [prompts, L+1]."""
        return score(getattr(self, position)(name), self.centroid("harmful_train", position, True),
                     self.centroid("harmless_train", position, False))

    def harm_scores(self, name):
        """s[l] against harmful and harmless at t_inst: [prompts, L+1]."""
        return score(self.t_inst(name), self.centroid("harmful_train", "t_inst"),
                     self.centroid("harmless_train", "t_inst"))

    def harm_belief(self, name):
        """Delta_harmful: [prompts]."""
        return self.harm_scores(name).mean(1)

    def refusal_belief(self, name):
        """Delta_refuse: [prompts]."""
        return self.clusters(name, "t_post_inst").mean(1)

    def quadrants(self):
        """{quadrant: [(file, index)]} by label and the model's own reply, over the four test files."""
        members = {quadrant: [] for quadrant in QUADRANTS}
        for name in QUADRANTS:
            for i, (line, refused) in enumerate(zip(self.lines(name), self.refused(name))):
                members[f"{'refused' if refused else 'accepted'}_{line['label']}"].append((name, i))
        return members


def unit(rows):
    return rows / rows.norm(dim=-1, keepdim=True)


def score(rows, plus, minus):
    """cos(h, plus) - cos(h, minus) by row."""
    return (unit(rows) * (unit(plus) - unit(minus))).sum(-1)


def cosine(a, b):
    """By row; nan where one is zero."""
    return torch.nn.functional.cosine_similarity(a, b, dim=-1)
