"""Formulas as plain text for terminals and comments: ``$\\frac{\\partial L}{\\partial x}$`` becomes ``(∂L)/(∂x)``."""

import re
from collections.abc import Callable, Iterator

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤",
    "prime": "′", "sum": "Σ", "prod": "∏", "int": "∫", "forall": "∀", "exists": "∃", "dots": "…", "ldots": "…",
    "cdots": "…", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
}  # fmt: skip
#: Written with a space on either side.
RELATIONS = {
    "times": "×", "odot": "⊙", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈",
    "in": "∈", "notin": "∉", "to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "Rightarrow": "⇒",
    "mid": "|", "pm": "±", "sim": "~", "cup": "∪", "cap": "∩", "equiv": "≡", "propto": "∝", "subset": "⊂", "ll": "≪",
    "gg": "≫", "circ": "∘", "otimes": "⊗", "oplus": "⊕",
}  # fmt: skip
TIGHT = {"cdot": "·", "ast": "*", "star": "*", "|": "‖", "Vert": "‖"} | {sign: sign for sign in "{}_%$#&"}
SPACES = {",": " ", ";": " ", ":": " ", " ": " ", "quad": "  ", "qquad": "   ", "!": "", "\\": "; "}
DROPPED = re.compile(r"left|right|limits|displaystyle|[bB]igg?[lrm]?")
NAMES = {"log", "ln", "exp", "max", "min", "tanh", "cos", "sin", "arg", "argmax", "argmin", "det", "Pr", "sup", "inf"}
GROUPS = {"text", "operatorname", "mathrm", "mathbf", "mathcal", "mathsf", "boldsymbol", "textbf", "mathit"}
ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7", "dot": "\u0307"}
OVER = {"overline": "\u0305", "underline": "\u0332"}  # on every letter
BOARD = dict(zip("RNZQCEP", "ℝℕℤℚℂ𝔼ℙ", strict=True))
BELOW = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
ABOVE = dict(
    zip("0123456789+-−=()abcdefghijklmnoprstuvwxyzT⊤′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵀ′", strict=True)
)
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
MATH = re.compile(r"(?P<code>`+)(?:.*?)(?P=code)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$]+?)\$", re.DOTALL)


def same(text: str) -> str:
    """The text itself."""
    return text


def indented(text: str) -> str:
    """A formula on lines of its own."""
    return "\n\n    " + text + "\n\n"


def plain(markdown: str, inline: Callable[[str], str] = same, display: Callable[[str], str] = indented) -> str:
    """Markdown with its formulas as plain text, put in as ``inline`` and ``display`` (those between ``$$``) say."""

    def put(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        return display(formula(found["display"])) if found["display"] else inline(formula(found["inline"]))

    return re.sub(r"\n{3,}", "\n\n", MATH.sub(put, markdown.strip())).strip("\n")


def formula(tex: str) -> str:
    """One formula as plain text; a command that is not known becomes its name."""
    text = row(iter(TOKEN.findall(tex.strip())), "")
    text = re.sub(r"[ \t]+", " ", text).replace(" ,", ",").replace("( ", "(").replace(" )", ")").strip()
    text = re.sub(r"([∂∇∏√]) | ?(·) ?", r"\1\2", text)
    return re.sub(rf"\b({'|'.join(NAMES)}) \(", r"\1(", text)


def row(tokens: Iterator[str], end: str) -> str:
    """Atoms up to the token ``end``, with what stands below and above them."""
    parts: list[str] = []
    for token in tokens:
        if token == end:
            break
        if token in ("_", "^"):
            inner = argument(tokens)
            if parts and parts[-1].endswith(" "):
                parts[-1] = parts[-1].rstrip()
            parts.append(script(inner, token) + (" " if parts and parts[-1] in ("Σ", "∏", *NAMES) else ""))
        else:
            parts.append(atom(token, tokens))
    return "".join(parts)


def atom(token: str, tokens: Iterator[str]) -> str:
    """What one token stands for, with its arguments."""
    if token == "{":
        return row(tokens, "}")
    if token == "&":
        return " "
    if token.isspace() or token == "~":
        return " "
    if not token.startswith("\\") or token == "\\":
        return token
    name = token[1:]
    if name in LETTERS:
        return LETTERS[name]
    if name in RELATIONS:
        return f" {RELATIONS[name]} "
    if name in ("frac", "tfrac", "dfrac"):
        return f"{wrapped(argument(tokens))}/{wrapped(argument(tokens))}"
    if name == "sqrt":
        return "√" + wrapped(argument(tokens))
    if name in GROUPS:
        return argument(tokens)
    if name == "mathbb":
        inner = argument(tokens)
        return BOARD.get(inner, inner)
    if name in ACCENTS:
        inner = argument(tokens)
        return inner[:1] + ACCENTS[name] + inner[1:]
    if name in OVER:
        return "".join(one if one.isspace() else one + OVER[name] for one in argument(tokens))
    if name == "tag":
        return f"   ({argument(tokens)})"
    if name in ("begin", "end"):
        kind = argument(tokens).rstrip("*")
        marks = {"cases": "{ ", "bmatrix": "[ ]", "pmatrix": "( )"}.get(kind, "  ")
        return marks[:2] if name == "begin" else marks[1:]
    if DROPPED.fullmatch(name):
        return ""
    if name not in TIGHT and name not in SPACES and name not in NAMES:
        unknown(name)
    return TIGHT.get(name, SPACES.get(name, name + (" " if name in NAMES else "")))


def unknown(name: str) -> None:
    """Called for a command that becomes its name; the tests want none in an exercise."""


def argument(tokens: Iterator[str]) -> str:
    """The group or the single token that comes next."""
    token = next((token for token in tokens if not token.isspace()), "")
    return atom(token, tokens).strip() if token else ""


def script(inner: str, mark: str) -> str:
    """Something below or above, in small characters where there are such for all of it."""
    small = BELOW if mark == "_" else ABOVE
    inner = re.sub(r"\s+", "" if len(inner) < 8 else " ", inner)
    if inner.isalpha() and inner.isascii() and len(inner) > 2:
        return mark + inner
    if all(letter in small for letter in inner):
        return "".join(small[letter] for letter in inner)
    return mark + (inner if len(inner) == 1 or (inner.isalnum() and inner.isascii()) else f"({inner})")


def wrapped(text: str) -> str:
    """In brackets, unless it is one thing."""
    whole = re.fullmatch(r"[\w∂∇√.\u0300-\u036f]+|\([^()]*\)|\w+\^\([^()]*\)", text)
    return text if whole else f"({text})"
