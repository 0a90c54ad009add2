"""A run's file and its evidence, as the real lessons write them, ready for an audit."""

import json
from dataclasses import replace
from functools import cache

import jsonschema_rs
from support.runs import CHECKER, KEY, MINUTES, PATH, SCOPE, WIDE, after, buckets, document, neighbour, valid

from reconcile import schemas
from reconcile.attribution.attribute import attribute
from reconcile.attribution.booking import clock_of
from reconcile.attribution.claims import claim_of
from reconcile.attribution.evidence import read_evidence
from reconcile.insight.audit import Beside, Subject, audit
from reconcile.runs.metrics import read_run
from reconcile.runs.state import Policy
from reconcile.verdict.lesson import Lesson, apply


@cache
def schema():
    return jsonschema_rs.Draft202012Validator(schemas.load("evidence"))


class Written:
    """The run of the stories, read again and again. `log`: its call log, from now on."""

    def __init__(self, *others, log=None, policy=None, **members):
        self.text, self.data = document(**members), None
        self.others, self.log, self.policy = others, log, policy or Policy()

    @property
    def run(self):
        found = valid(self.text)
        return replace(read_run(KEY, PATH, found.value, found.generation), log=self.log)

    @property
    def value(self):
        return json.loads(self.text)

    @property
    def document(self):
        return json.loads(self.data)

    def attributed(self, shown):
        run = self.run
        claim = claim_of(run, SCOPE, clock_of(run, self.policy))
        return attribute([claim, *self.others], self.rows(shown), [WIDE])

    def rows(self, shown):
        return list(buckets(shown))

    def read(self, clock, shown, *, forced=False, evidence=True, prices=None):
        run = self.run
        attribution = self.attributed(shown).by_run[KEY]
        lesson = Lesson(
            path=PATH, claim=attribution.claim, own_scope=run.own_scope, attribution=attribution, at=after(clock),
            begun=after(clock), forced=forced, evidence=evidence, prices=prices,
        )  # fmt: skip
        done = apply(lesson, self.text.encode(), CHECKER, self.policy)
        self.text = done.after.decode() if done.after else self.text
        self.data = done.evidence or self.data
        self.note = done.note
        return self

    def claimed_late(self, clock):
        """Others have claimed minutes of the run since, and no read tells what they took."""
        self.others = (*self.others, neighbour("late", 0, MINUTES))
        return self.read(clock, ".")

    def subject(self, *, value=None, data=None, **given):
        text = self.text if value is None else json.dumps(value, indent=2)
        data = data or self.data
        found = valid(text)
        run = replace(read_run(KEY, PATH, found.value, found.generation), log=self.log)
        evidence = read_evidence(json.loads(data)) if data else None
        return Subject(**{"run": run, "value": found.value, "data": data, "evidence": evidence, **given})

    def audit(self, *, required=True, known=None, **given):
        subject = self.subject(**given)
        logs = {KEY: self.log} if self.log else {}
        own = {KEY: subject.evidence} if subject.evidence else {}
        return audit(subject, Beside(known={**own, **(known or {})}, logs=logs, policy=self.policy), required=required)


def said(found):
    """The differences as `place: sentence`."""
    return [f"{'/'.join(map(str, pointer))}: {message}" for pointer, message in found.differences]
