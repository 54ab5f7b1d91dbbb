"""Schemas of a provider out of the JavaScript of its prebuilt CDK binding.

Each resource is a folder of JavaScript whose classes carry a comment per attribute ("// name - computed: .., optional:
.., required: ..") and whose *ToHclTerraform functions say, per attribute that can be set, its type and whether it is a
list, set, map or single value. From these comes what `terraform providers schema -json` would show.
"""

import re

FUNC = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.M | re.S)
CLASS = re.compile(r"^class (\w+) extends cdkt[fn]\.(\w+) \{\n(.*?)^\}", re.M | re.S)
HCL = re.compile(
    r'^\s+"?(\w+)"?: \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n'
    r'\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",',
    re.M,
)
ATTR = re.compile(
    r"^ {4,8}// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n"
    r"(.*?)(?=^ {4,8}// (?:\w+ - computed:|=====)|\Z)",
    re.M | re.S,
)
NEW = re.compile(
    r'^\s+(?:this\.)?_\w+ = new ((?:cdkt[fn]\.)?(?:\w+_\d+\.)?)(\w+)\(this, "[^"]*"(?:, (true|false))?\)', re.M
)
GETTER = re.compile(r"return (.*?)this\.(get\w+Attribute|interpolationForAttribute)\('")
RESTYPE = re.compile(r"\bterraformResourceType: '(\w+)'")
IFACE = re.compile(r"^export interface (\w+) (?:extends [\w.]+ )?\{\n(.*?)^\}", re.M | re.S)
PROP = re.compile(r"/\*\*\n(.*?)\*/\n    readonly (\w+)(\??):", re.S)
KINDS = {
    "TerraformResource": "resource",
    "TerraformDataSource": "data",
    "TerraformEphemeralResource": "ephemeral",
    "TerraformProvider": "provider",
}
SCALAR = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GET = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getAnyMapAttribute": ["map", "dynamic"],
    "interpolationForAttribute": "dynamic",
}
CDK_CLASS = {
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": ["map", "dynamic"],
}
CDK_LIST = {
    "StringMapList": "StringMap",
    "NumberMapList": "NumberMap",
    "BooleanMapList": "BooleanMap",
    "AnyMapList": "AnyMap",
}


def storage_type(storage, coll):
    """("stringMapList", "set") -> cty type, peeling collections from the right."""
    m = re.match(r"(string|number|boolean|any)((?:List|Map|Set)*)$", storage)
    if not m:
        return None
    t = SCALAR[m.group(1)]
    layers = re.findall(r"List|Map|Set", m.group(2))
    for i, layer in enumerate(layers):
        kind = layer.lower()
        if i == len(layers) - 1 and coll in ("list", "set", "map"):
            kind = coll
        t = [kind, t]
    return t


class Folder:
    """All JavaScript (and type declarations) of one resource's folder."""

    def __init__(self, js, dts):
        self.funcs, self.classes, self.ifaces, self.dts = {}, {}, None, dts
        for m in FUNC.finditer(js):
            self.funcs[m.group(1)] = m.group(2)
        for m in CLASS.finditer(js):
            self.classes[m.group(1)] = (m.group(2), m.group(3))

    def iface(self, name):
        if self.ifaces is None:
            self.ifaces = {}
            for m in IFACE.finditer(self.dts):
                self.ifaces[m.group(1)] = {
                    p.group(2): (p.group(3) != "?", p.group(1)) for p in PROP.finditer(m.group(2))
                }
        return self.ifaces.get(name, {})

    def func(self, struct):
        return self.funcs.get(struct[0].lower() + struct[1:], "") if struct else ""

    @staticmethod
    def hcl(text):
        return {m.group(1): m.groups()[1:] for m in HCL.finditer(text)}

    def members(self, struct, body, hcl, config):
        """Rows (name, computed, optional, required, getter text) of a struct or resource."""
        rows, seen = [], set()
        for name, comp, opt, req, text in ATTR.findall(body or ""):
            rows.append((name, comp == "true", opt == "true", req == "true", text))
            seen.add(name)
        iface = self.iface(config) if any(n not in seen for n in hcl) else {}
        for name, h in hcl.items():
            if name not in seen:  # structs of the provider block have no class
                m = re.search(r"(?:struct|this)\.(_?\w+)(?:\.internalValue)?\)?$", h[0])
                camel = m.group(1).lstrip("_") if m else name
                required = iface.get(camel, (False, ""))[0]
                rows.append((name, False, not required, required, ""))
        return rows

    def object_type(self, struct, depth=0):
        cls = self.classes.get(struct + "OutputReference")
        hcl = self.hcl(self.func(struct))
        out = {}
        for name, _c, _o, _r, text in self.members(struct, cls and cls[1], hcl, struct):
            t = self.attr_type(name, hcl.get(name), text)
            if t is None:
                info = self.struct_of(hcl.get(name), text)
                t = self.wrap(info, self.object_type(info["struct"], depth + 1)) if info else "dynamic"
            out[name] = t
        return ["object", out]

    @staticmethod
    def wrap(info, obj):
        if info["nested_list"]:
            obj = ["list", obj]
        return obj if info["coll"] == "struct" else [info["coll"], obj]

    def attr_type(self, name, hcl, text):
        """cty type of a plain attribute, or None where it is struct-typed."""
        if hcl:
            return storage_type(hcl[3], hcl[2])
        m = NEW.search(text)
        if m:
            cls, wraps = m.group(2), m.group(3) == "true"
            if cls in CDK_CLASS:
                return CDK_CLASS[cls]
            if cls in CDK_LIST:
                return ["set" if wraps else "list", CDK_CLASS[CDK_LIST[cls]]]
            return None
        m = GETTER.search(text)
        if not m:
            return "dynamic"
        t = GET.get(m.group(2), "dynamic")
        if isinstance(t, list) and t[0] == "list" and "tolist(" in m.group(1):
            t = ["set", t[1]]
        return t

    def struct_of(self, hcl, text):
        """Where an attribute's value is a struct: which, in what collection, block or not."""
        m = NEW.search(text)
        cls = m.group(2) if m else None
        coll = hcl[2] if hcl else None
        single, nested_list = False, False
        if cls:
            struct = cls
            if cls.endswith("OutputReference"):
                struct, single = cls[: -len("OutputReference")], True
                coll = coll or "struct"
            elif cls.endswith("List") or self.classes.get(cls, ("",))[0] == "ComplexList":
                base = self.classes.get(cls, ("", ""))
                struct = cls[:-4]
                if base[0] == "MapList":
                    struct, nested_list = struct[:-4], True
                coll = coll or ("set" if m.group(3) == "true" else "list")
            elif cls.endswith("Map"):
                struct, coll = cls[:-3], "map"
        elif hcl:
            f = re.search(r"(\w+)ToHclTerraform", hcl[0])
            if not f:
                return None
            struct = f.group(1)[0].upper() + f.group(1)[1:]
            single = "MapperHcl" not in hcl[0]
        else:
            return None
        block = bool(hcl) and (single or bool(re.search(r"ToHclTerraform, true\)", hcl[0])))
        if not hcl:
            block = False
        return {"struct": struct, "coll": coll, "single": single, "block": block, "nested_list": nested_list}

    def block(self, struct, body, hcl, config, path=()):
        attrs, blocks = {}, {}
        for name, comp, opt, req, text in self.members(struct, body, hcl, config):
            h = hcl.get(name)
            t, info = self.attr_type(name, h, text), None
            if t is None:
                info = self.struct_of(h, text)
                if self.is_block(name, info, h, config):
                    if path.count(info["struct"]) < 2:  # else a type that holds itself: cut short
                        blocks[name] = self.nested(info, req, path)
                    continue
                t = self.wrap(info, self.object_type(info["struct"])) if info else "dynamic"
            said = {"required": req, "optional": opt or not (req or opt or comp), "computed": comp and not req}
            said["write_only"] = name.endswith("_wo") and not comp
            attrs[name] = {"type": t, **{key: True for key, value in said.items() if value}}
        return {key: found for key, found in (("attributes", attrs), ("block_types", blocks)) if found}

    def is_block(self, name, info, h, config):
        if not (info and info["block"]) or info["coll"] != "struct" or name == "timeouts":
            return bool(info and info["block"])
        m = re.search(r"(?:struct|this)\.(_?\w+)", h[0])
        return f"{name} block" in self.iface(config).get(m.group(1).lstrip("_") if m else "", (False, ""))[1]

    def nested(self, info, required, path):
        sub, mode = info["struct"], {"struct": "single"}.get(info["coll"], info["coll"])
        cls = self.classes.get(sub + "OutputReference")
        inner = self.block(sub, cls and cls[1], self.hcl(self.func(sub)), sub, (*path, sub))
        block = {"nesting_mode": mode, "block": inner}
        if required:
            block["min_items"] = 1
        if (info["single"] and mode in ("list", "set")) or (required and mode == "single"):
            block["max_items"] = 1
        return block

    def schemas(self):
        for cname, (base, body) in self.classes.items():
            kind = KINDS.get(base)
            if not kind:
                continue
            m = RESTYPE.search(body)
            tf = m.group(1) if m else cname
            at = body.find("synthesizeHclAttributes()")
            hcl = self.hcl(body[at:]) if at >= 0 else {}
            cut = body.find("    // =========\n    // SYNTHESIS")
            block = self.block(cname, body[:cut] if cut >= 0 else body, hcl, cname + "Config")
            if kind == "provider":
                block.get("attributes", {}).pop("alias", None)
            yield kind, tf, block
