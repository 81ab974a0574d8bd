"""Pages and commands speak the field's words; the coinages of before stay out of them."""

import ast
import re
from pathlib import Path

from har_demo import interface

PACKAGE = Path(interface.__file__).parent.parent
FOLDERS = (PACKAGE / "interface", PACKAGE / "cli")

# A pattern, and the word to use in its place.
FORBIDDEN = {
    r"where does a place look": "attention map",
    r"what spoke for|spoke for an action": "class activation map",
    r"lands? elsewhere|went elsewhere": "total variation distance",
    r"\ball alike\b": "mean cosine similarity",
    r"below nothing": "negative",
    r"grey(ed|ing) out|brought back": "deletion and insertion",
    r"minds? time": "temporal sensitivity",
    r"fetch(ed|es)? (the next frame )?back|fetches the next frame": "warped frame",
    r"what is left": "photometric error",
    r"\Abeside it\Z": "compare with",
    r"camera's motion off": "remove camera motion",
    r"right at first|among five": "top-1, top-5",
    r"\btowers?\b": "image-text model, image encoder, text encoder",
    r"most honest": "calibrated temperature",
    r"how loud motion": "motion weight",
    r"\blab[- ]size": "tiny",
    r"\blab (networks?|models?)\b": "tiny",
    r"function of a pair": "pairwise function f",
    r"who looks": "model",
    r"says? of itself": "specification of a model",
}

# Names that programs, links and commands use, which are no words for people.
IDENTIFIERS = re.compile(r"\A[\w-]+\Z|/\w+|`\w+`|--\w+|\w+_\w+|^ +\w+:", re.M)


def texts(path: Path) -> list[str]:
    """Read what people may see of a file: the strings of a module, the text and labels of a template."""
    content = path.read_text()
    if path.suffix == ".html":
        content = re.sub(r"\{[{%].*?[}%]\}", " ", content, flags=re.S)
        labels = re.findall(r"(?:aria-label|title|alt|placeholder)=\"([^\"]*)\"", content)
        return [re.sub(r"<[^>]*>", " ", content), *labels]
    if path.suffix == ".js":
        return [content]
    strings = (
        node.value
        for node in ast.walk(ast.parse(content))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return [IDENTIFIERS.sub(" ", text) for text in strings]


def found(text: str) -> list[str]:
    """Find the forbidden words of a text, each with the one to use."""
    return [
        f"'{match[0]}': say {better}"
        for pattern, better in FORBIDDEN.items()
        for match in re.finditer(pattern, text, re.I)
    ]


def test_pages_and_commands_use_the_fields_words():
    guilty = {
        str(path.relative_to(PACKAGE)): words
        for folder in FOLDERS
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", ".html", ".js")
        if (words := [word for text in texts(path) for word in found(text)])
    }
    assert not guilty, "\n".join(f"{name}: {words}" for name, words in guilty.items())


def test_the_check_reads_strings_templates_and_docstrings(tmp_path):
    module, template = tmp_path / "page.py", tmp_path / "page.html"
    module.write_text(
        'LABEL = "Which towers"\nNAME = "describe_tower"\nPATH = "/towers"\ntower = 1\n'
    )
    template.write_text('<p title="All alike">{{ tower }} right at first</p>')
    assert [word for text in texts(module) for word in found(text)] == [
        "'towers': say image-text model, image encoder, text encoder"
    ]
    assert [word for text in texts(template) for word in found(text)] == [
        "'right at first': say top-1, top-5",
        "'All alike': say mean cosine similarity",
    ]
