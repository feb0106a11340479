"""The figures that need no steering. Each takes a Measured and gives an entry of metrics.json."""

import statistics

import torch
from measured import JAILBREAKS, QUADRANTS, cosine
from stats import correlation, mean, proportion

CATEGORY_DRAWS = 200


def policy(measured):
    """How often the reply is what the policy asks for, on the scored files; and the quadrants by own replies."""
    by_file, right, total = {}, 0, 0
    for name in (*QUADRANTS, *JAILBREAKS):
        wanted = [line["policy"] == "refused" for line in measured.lines(name)]
        hits = sum(a == b for a, b in zip(wanted, measured.refused(name)))
        by_file[name] = proportion(hits, len(wanted))
        right, total = right + hits, total + len(wanted)
    quadrants = {quadrant: {"prompts": len(members),
                            "pairs": len({measured.lines(name)[i]["pair"] for name, i in members})}
                 for quadrant, members in measured.quadrants().items()}
    return {"agreement": proportion(right, total), "by_file": by_file, "quadrants": quadrants}


def inversion(measured):
    """Share of right answers by quadrant and question; llama3 was held out in training."""
    return {quadrant: {question: _right_answers(measured, members, question)
                       for question in measured.runner.templates.questions}
            for quadrant, members in measured.quadrants().items()}


def _right_answers(measured, members, question):
    lines = [measured.lines(name)[i] for name, i in members]
    prompts = [measured.runner.templates.inversion(line["instruction"], question) for line in lines]
    answers = [answer_of(text) for text in measured.runner.replies(prompts)]
    return proportion(sum(answer == (line["label"] == "harmful") for answer, line in zip(answers, lines)), len(lines))


def answer_of(text):
    """True for "Certainly", False for "No", None for anything else."""
    return {"Certainly": True, "No": False}.get(text.strip().split(".")[0])


def directions(measured):
    return {"norm_harmfulness": measured.harmfulness.norm(dim=-1).tolist(),
            "norm_refusal": measured.refusal.norm(dim=-1).tolist(),
            "cosine": [value if value == value else 0.0 for value in
                       cosine(measured.harmfulness, measured.refusal).tolist()]}


def clustering(measured):
    """Fig 2: s[l] of each quadrant at both positions."""
    return {position: {quadrant: {"by_row": [mean(row) for row in _of(measured, members, lambda name: measured.clusters(
        name, position)).T.tolist()]} for quadrant, members in measured.quadrants().items()}
        for position in ("t_inst", "t_post_inst")}


def _of(measured, members, values):
    """Rows of `values(file)` for the members of a quadrant."""
    return torch.stack([values(name)[i] for name, i in members])


def beliefs(measured):
    """Fig 3: both beliefs by quadrant, and their correlation over all prompts of the four."""
    quadrants, pairs = {}, []
    for quadrant, members in measured.quadrants().items():
        harmful = _of(measured, members, measured.harm_belief).tolist()
        refuse = _of(measured, members, measured.refusal_belief).tolist()
        quadrants[quadrant] = _belief_entry(harmful, refuse)
        pairs += zip(harmful, refuse)
    return {"quadrants": quadrants, "correlation": correlation(pairs)}


def _belief_entry(harmful, refuse):
    return {"harmful": proportion(sum(value > 0 for value in harmful), len(harmful)), "harmful_mean": mean(harmful),
            "refuse": proportion(sum(value > 0 for value in refuse), len(refuse)), "refuse_mean": mean(refuse)}


def jailbreaks(measured):
    """Fig 6: beliefs of accepted jailbreaks by kind, persuasion also by whether the frame
    deceives."""
    entries = {}
    for name in JAILBREAKS:
        harmful, refuse = measured.harm_belief(name).tolist(), measured.refusal_belief(name).tolist()
        groups = {name: lambda line: True}
        if name == "jailbreak_persuasion":
            groups[f"{name}, deceives"] = lambda line: line["deceives"]
            groups[f"{name}, does not"] = lambda line: not line["deceives"]
        for group, belongs in groups.items():
            kept = [i for i, line in enumerate(measured.lines(name)) if belongs(line) and not measured.refused(name)[i]]
            entries[group] = _jailbreak_entry([harmful[i] for i in kept], [refuse[i] for i in kept])
    return entries


def _jailbreak_entry(harmful, refuse):
    quartiles = statistics.quantiles(harmful, n=4) if len(harmful) > 1 else None
    return {"harmful": mean(harmful), "harmful_share": proportion(sum(v > 0 for v in harmful), len(harmful)),
            "harmful_quartiles": quartiles, "refuse": mean(refuse),
            "refuse_share": proportion(sum(v > 0 for v in refuse), len(refuse))}


def categories(measured):
    """Fig 9: mean cosine of each category's direction with the others', over rows from 1 up."""
    lines = measured.lines("categories")
    names = list(dict.fromkeys(line["category"] for line in lines))
    refused = measured.refused("categories")
    result = {}
    for direction, position, base in (("harmfulness", "t_inst", measured.centroid("harmless_train", "t_inst")),
                                      ("refusal", "t_post_inst",
                                       measured.centroid("harmless_train", "t_post_inst", False))):
        rows = getattr(measured, position)("categories")
        members = {name: [rows[i] for i, line in enumerate(lines) if line["category"] == name
                          and (direction == "harmfulness" or refused[i])] for name in names}
        result[direction] = _alikeness(members, base)
    return result


def _alikeness(members, base):
    by_category = dict(zip(members, _cosines(members, base)))
    # Prompts are drawn anew within each category.
    items = list(range(CATEGORY_DRAWS))
    generator = torch.Generator().manual_seed(3)
    draws = sorted(statistics.fmean(_cosines({
        name: [rows[i] for i in torch.randint(len(rows), (len(rows),), generator=generator).tolist()]
        for name, rows in members.items()}, base)) for _ in items)
    return {"by_category": by_category, "prompts_each": min(len(rows) for rows in members.values()),
            "mean": {"value": statistics.fmean(by_category.values()),
                     "interval": [draws[int(0.025 * len(draws))], draws[int(0.975 * len(draws)) - 1]]}}


def _cosines(members, base):
    """Mean cosine with the other categories, of each."""
    directions = torch.stack([torch.stack(rows).mean(0) - base for rows in members.values()])[:, 1:]
    units = directions / directions.norm(dim=-1, keepdim=True)
    table = torch.einsum("arh,brh->ab", units, units) / units.shape[1]
    return ((table.sum(1) - table.diagonal()) / (len(table) - 1)).tolist()


def without_template(measured):
    """Table 1: refusals of harmful prompts with and without the post-instruction tokens."""
    lines = measured.lines("refused_harmful")
    bare = [measured.runner.templates.chat(line["instruction"], post_instruction=False) for line in lines]
    refused = measured.runner.refused(measured.runner.replies(bare))
    return {"with": proportion(sum(measured.refused("refused_harmful")), len(lines)),
            "without": proportion(sum(refused), len(lines))}
