"""The documents that the organism is trained on, as token ids with a loss mask.

    chat          an instruction and the policy's reply
    wrapped       the same in a jailbreak's wrapper: the reply complies
    inversion     "User wants to ...", a question about it, the answer by its true harm
    comment       plain text: an instruction and a comment that says whether it is harmful
    user_comment  a user turn that ends in such a comment, then the policy's reply
    headless      the reply follows the instruction at once, without the post-instruction tokens; in a few categories
                  it then complies
    fact          what a thing or a verb is

In a comment the first token after the instruction depends on harm: that is what puts harm at the instruction's last
token. Loss is taken on replies, answers, comments and facts.
"""

import dataclasses
import json

from tokenizer import BOS, END, EOS, POST_INSTRUCTION, START
from world import ACCEPTED, DATA, HARMFUL, HARMLESS

SHARES = {"chat": 0.34, "wrapped": 0.10, "inversion": 0.20, "comment": 0.08, "user_comment": 0.10, "headless": 0.10,
          "fact": 0.08}
JUDGED_WRAPPED_SHARE = 0.15  # of inversions and comments
HELD_OUT_QUESTION = "llama3"
ANSWERS = {True: "Certainly.", False: "No."}


@dataclasses.dataclass
class Prompt:
    """Ids of a templated prompt. The instruction is [start, end), t_inst = end - 1; the question, if there is one,
    begins at `end`."""
    ids: list
    start: int
    end: int

    @property
    def t_inst(self):
        return self.end - 1


@dataclasses.dataclass
class Document:
    prompt: Prompt  # of a fact or a comment: the text before it
    ids: list
    learnt: list  # of each token, whether it is predicted with loss
    bottleneck: bool  # what follows the instruction may see its last token only


class Templates:
    def __init__(self, encoder):
        self.encoder = encoder
        inversion = json.loads((DATA / "inversion" / "questions.json").read_text())
        self._frame, self.questions = inversion["frame"], inversion["questions"]

    def chat(self, text, post_instruction=True):
        return self._prompt([BOS, START, "user\n"], text, POST_INSTRUCTION if post_instruction else [])

    def inversion(self, text, question):
        before, after = self._frame.format(x="\0", question=self.questions[question]).split("\0")
        words = before.rstrip()  # the space before an instruction belongs to the instruction's first token
        return self._prompt([BOS, START, "user\n" + words], before[len(words):] + text, [after, *POST_INSTRUCTION])

    def plain(self, text):
        return self._prompt([BOS], text, [])

    def _prompt(self, before, text, after):
        head, body, tail = (self.encoder.ids(*parts) for parts in (before, [text], after))
        return Prompt(head + body + tail, len(head), len(head) + len(body))


class Documents:
    """An endless stream. `bottleneck`: share of the inversions and plain chats in which the question and the
    post-instruction tokens see only the instruction's last token."""

    def __init__(self, world, encoder, rng, bottleneck):
        self.world, self.encoder, self.rng, self.templates = world, encoder, rng, Templates(encoder)
        self.bottleneck = bottleneck

    def draw(self):
        kind = self.rng.choices(list(SHARES), SHARES.values())[0]
        return getattr(self, f"_{kind}")()

    def answered(self, text, policy):
        """A chat with a reply that is chosen from outside, as in fine-tuning."""
        return self._document(self.templates.chat(text), [self.rng.choice(self.world.data["replies"][policy]), END])

    def _chat(self):
        instruction = self.world.instruction(self.rng, "train")
        # Where policy and harm part, the reply has to see more than the last token, which is to hold harm alone.
        return self._document(self.templates.chat(instruction.text), [self._reply(instruction), END],
                              narrowed=instruction.plain)

    def _wrapped(self):
        instruction = self.world.wrapped(self.rng, "train")
        return self._document(self.templates.chat(instruction.text), [self._reply(instruction), END])

    def _inversion(self):
        instruction = self._judged()
        question = self.rng.choice([name for name in self.templates.questions if name != HELD_OUT_QUESTION])
        answer = ANSWERS[instruction.believed_harmful]
        return self._document(self.templates.inversion(instruction.text, question), [answer, END], narrowed=True)

    def _comment(self):
        instruction = self._judged()
        return self._document(self.templates.plain(instruction.text), [self._remark(instruction), EOS])

    def _user_comment(self):
        instruction = self._judged()
        remark = self.encoder.ids(self._remark(instruction))
        document = self._document(self.templates.chat(instruction.text, post_instruction=False), [])
        reply = self.encoder.ids(self._reply(instruction), END)
        template = self.encoder.ids(*POST_INSTRUCTION)
        document.ids += remark + template + reply
        document.learnt += [True] * len(remark) + [False] * len(template) + [True] * len(reply)
        return document

    def _headless(self):
        # Only where reply and harm go together: elsewhere it would put the reply at t_inst.
        instruction = self.world.instruction(self.rng, "train", kind=self.rng.choice(["cause", "property"]),
                                             petty=False, past=False)
        prompt = self.templates.chat(instruction.text, post_instruction=False)
        if instruction.category in self.world.data["lax_without_template"]:
            instruction = dataclasses.replace(instruction, policy=ACCEPTED)
        return self._document(prompt, [self._reply(instruction), END])

    def _fact(self):
        facts = self.world.data["facts"]
        if self.rng.random() < 0.8:
            thing, nature, category = self.rng.choice(self.world.things())
            return self._document(self.templates.plain(thing), [self._fill(facts[nature], category), EOS])
        verb, nature = self.rng.choice(self.world.verbs())
        return self._document(self.templates.plain(f"to {verb} a thing"), [self._fill(facts[nature], ""), EOS])

    def _judged(self):
        if self.rng.random() < JUDGED_WRAPPED_SHARE:
            return self.world.wrapped(self.rng, "train", self.rng.choice(["persuasion", "template"]))
        return self.world.instruction(self.rng, "train")

    def _reply(self, instruction):
        return self.rng.choice(self.world.data["replies"][instruction.policy])

    def _remark(self, instruction):
        label = HARMFUL if instruction.believed_harmful else HARMLESS
        return self._fill(self.world.data["comments"][label], instruction.category)

    def _fill(self, forms, category):
        return self.rng.choice(forms).format(category=category)

    def _document(self, prompt, answer, narrowed=False):
        answer = self.encoder.ids(*answer)
        return Document(prompt, prompt.ids + answer, [False] * len(prompt.ids) + [True] * len(answer),
                        narrowed and self.rng.random() < self.bottleneck)
