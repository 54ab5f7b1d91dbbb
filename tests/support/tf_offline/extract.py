"""A database of schemas out of a provider's binding: what a stand-in has to say, ready to be sent."""

import json
import re
import sqlite3
import tarfile
import zlib

from . import wire
from .bindings import Folder
from .catalog import SENSITIVE

FORMAT = 1  # raise it when the output changes


def mark_sensitive(provider, name, block):
    for prov, type_re, attr_re in SENSITIVE:
        if prov == provider and re.fullmatch(rf"{prov}_(?:{type_re})", name):
            for a, spec in block.get("attributes", {}).items():
                if re.fullmatch(attr_re, a):
                    spec["sensitive"] = True


def borrow_waf_statement(folders):
    """The bindings cut short the statement of two WAF resources; a third has it whole."""
    donor = folders.get(("resource", "aws_wafv2_web_acl_rule"), {}).get("block_types", {}).get("statement")
    for name in ("aws_wafv2_web_acl", "aws_wafv2_rule_group"):
        rule = folders.get(("resource", name), {}).get("block_types", {}).get("rule", {}).get("block", {})
        if donor and "statement" in rule.get("attributes", {}):
            del rule["attributes"]["statement"]
            rule.setdefault("block_types", {})["statement"] = donor


def no_dynamic_in_sets(block, in_set):
    """Terraform allows no dynamic attribute in a set block. There are some where
    the bindings cut a recursive type short (WAF statements, QuickSight definitions)."""
    for a in block.get("attributes", {}).values():
        if in_set and "dynamic" in json.dumps(a["type"]):
            a["type"] = "string"
    for b in block.get("block_types", {}).values():
        no_dynamic_in_sets(b["block"], in_set or b["nesting_mode"] == "set")


def encode_block(block):
    out = []
    for name in sorted(block.get("attributes", {})):
        a = block["attributes"][name]
        out.append(
            wire.data(
                2,
                wire.data(1, name)
                + wire.data(2, json.dumps(a["type"], separators=(",", ":")))
                + wire.num(4, a.get("required"))
                + wire.num(5, a.get("optional"))
                + wire.num(6, a.get("computed"))
                + wire.num(7, a.get("sensitive"))
                + wire.num(10, a.get("write_only")),
            )
        )
    for name in sorted(block.get("block_types", {})):
        b = block["block_types"][name]
        mode = {"single": 1, "list": 2, "set": 3, "map": 4}[b["nesting_mode"]]
        out.append(
            wire.data(
                3,
                wire.data(1, name)
                + wire.data(2, encode_block(b["block"]))
                + wire.num(3, mode)
                + wire.num(4, b.get("min_items"))
                + wire.num(5, b.get("max_items")),
            )
        )
    return b"".join(out)


def build(assembly, provider, version, path):
    """Read a package's assembly (.jsii.tgz) and write the database: a row a schema, as protobuf and as JSON."""
    found = {}
    for folder in _folders(assembly, version):
        for kind, name, block in folder.schemas():
            found[kind, "" if kind == "provider" else name] = block
    assert found, f"{assembly} holds no schema"
    borrow_waf_statement(found)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    db = sqlite3.connect(part)
    db.execute("create table s(kind text, name text, pb blob, js blob, primary key(kind, name))")
    for (kind, name), block in sorted(found.items()):
        mark_sensitive(provider, name, block)
        no_dynamic_in_sets(block, False)
        blob = zlib.compress(json.dumps(block, separators=(",", ":")).encode(), 6)
        db.execute("insert into s values(?,?,?,?)", (kind, name, wire.data(2, encode_block(block)), blob))
    db.commit()
    db.close()
    part.replace(path)


def _folders(assembly, version):
    """The folders of the package; the files of one are not next to each other in the archive."""
    js, dts = {}, {}
    with tarfile.open(assembly, "r|gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if member.name == "package/package.json":
                about = json.load(tar.extractfile(member)).get("cdktf", {}).get("provider", {})
                assert about.get("version", version) == version, f"the package is of version {about['version']}"
            if len(parts) < 4 or parts[1] != "lib" or not member.isfile():
                continue
            if member.name.endswith(".d.ts"):
                dts.setdefault(parts[2], []).append(tar.extractfile(member).read())
            elif member.name.endswith(".js"):
                text = tar.extractfile(member).read()
                cut = text.rfind(b"\n//# sourceMappingURL")
                js.setdefault(parts[2], []).append(text[: cut + 1] if cut >= 0 else text)
    for name in sorted(js):
        yield Folder(b"".join(js.pop(name)).decode(), b"".join(dts.pop(name, [])).decode())
