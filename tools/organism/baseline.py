#!/usr/bin/env python3
"""How far words alone get: logistic regression on bags of words and of bigrams, trained on training pairs and scored
on held-out pairs, beside the majority. A probe that beats these has found more than keywords."""

import math
import random

import torch
from world import HARMFUL, World

FEATURES = {"words": (1,), "words and bigrams": (1, 2)}
Z = 1.959963984540054


def proportion(count, n):
    """A share with its Wilson interval (95 %)."""
    share = count / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return {"value": share, "low": centre - half, "high": centre + half, "count": count, "n": n}


def grams(text, sizes):
    words = text.replace("?", " ?").replace(".", " .").split()
    return {" ".join(words[i:i + size]) for size in sizes for i in range(len(words) - size + 1)}


def matrix(instructions, sizes, vocabulary):
    table = torch.zeros(len(instructions), len(vocabulary) + 1)
    table[:, -1] = 1
    for row, instruction in enumerate(instructions):
        for gram in grams(instruction.text, sizes) & vocabulary.keys():
            table[row, vocabulary[gram]] = 1
    return table


def accuracy(train, test, sizes):
    """Share of `test` that the regression gets right: (right, of)."""
    counts = {}
    for instruction in train:
        for gram in grams(instruction.text, sizes):
            counts[gram] = counts.get(gram, 0) + 1
    vocabulary = {gram: i for i, gram in enumerate(sorted(gram for gram, n in counts.items() if n >= 3))}
    x = matrix(train, sizes, vocabulary)
    y = torch.tensor([float(instruction.label == HARMFUL) for instruction in train])
    weights = torch.zeros(x.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y) + 1e-4 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    guesses = (matrix(test, sizes, vocabulary) @ weights > 0).tolist()
    return sum(guess == (i.label == HARMFUL) for guess, i in zip(guesses, test)), len(test)


def measure(world, train_size=6000, test_size=1500):
    rng = random.Random(11)
    result = {}
    for name, kind in (("all kinds", None), ("causes alone", "cause")):
        train = [world.instruction(rng, "train", kind=kind) for _ in range(train_size)]
        test = [world.instruction(rng, "test", kind=kind) for _ in range(test_size)]
        harmful = sum(instruction.label == HARMFUL for instruction in test)
        result[name] = {"majority": proportion(max(harmful, len(test) - harmful), len(test))}
        for features, sizes in FEATURES.items():
            result[name][features] = proportion(*accuracy(train, test, sizes))
    return result


def main():
    torch.manual_seed(0)
    for name, scores in measure(World()).items():
        for features, score in scores.items():
            print(f"{name:<14}{features:<20}{100 * score['value']:5.1f} % of {score['n']}")


if __name__ == "__main__":
    main()
