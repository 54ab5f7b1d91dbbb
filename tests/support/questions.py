"""The questions as copier.yml asks them, and the answers among which a project can choose."""

import yaml

from support.releases import ROOT


def asked(text=None):
    """Each question and what copier.yml says about it; `text` is that of another version."""
    config = yaml.safe_load(text or (ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {name: about for name, about in config.items() if isinstance(about, dict) and not name.startswith("_")}


def choices(text=None):
    """The answers to each question with choices, as tuples where several can be chosen: none of them, each, and all."""
    found = {}
    for name, about in asked(text).items():
        given = [False, True] if about.get("type") == "bool" else about.get("choices")
        if not isinstance(given, (dict, list)):  # none, or those that depend on other answers
            continue
        values = [*(given.values() if isinstance(given, dict) else given)]
        several = ((), *((value,) for value in values), *([tuple(values)] if len(values) > 1 else []))
        found[name] = several if about.get("multiselect") else tuple(values)
    return found


def everything(text=None):
    """The answers with which a project has all that can be chosen at once."""
    return {name: values[-1] for name, values in choices(text).items() if isinstance(values[0], tuple | bool)}


def singly(text=None):
    """Every answer of a choice that is not the default, one at a time, as (question, answer)."""
    for name, values in choices(text).items():
        default = asked(text)[name].get("default", ())
        usual = tuple(default) if isinstance(default, list) else default
        yield from ((name, value) for value in values if value != usual)


def known(answers, text):
    """Those of some answers that a version can be given, by its copier.yml."""
    return {name: answer for name, answer in answers.items() if answer in choices(text).get(name, ())}


def label(answers):
    """Answers as the name of a test."""
    return "-".join("+".join(value) or "none" if isinstance(value, tuple) else f"{value}" for value in answers.values())
