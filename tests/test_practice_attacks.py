"""Ways to be told "passed" without solving the exercise, or to bring the grader down. None may work.

Every attack is an answer to `softmax`. `AROUND` are those that would pass if the answer had no process and no guard
of its own: run without them (as in the browser), they do pass, which shows that the attacks are real.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import groundup
from groundup.practice.grading.grader import grade
from groundup.practice.grading.process import Process
from groundup.practice.grading.verdict import Verdict
from groundup.practice.registry import find_exercise
from groundup.practice.starter import changed, solution

SOFTMAX = find_exercise("softmax")
HERE = Path(groundup.__file__).parent / "ops" / "activations.py"
RIGHT = """
import numpy as np

def softmax(x, axis=-1):
    top = x.max(axis, keepdims=True)
    e = np.exp(x - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis, keepdims=True)
    y = e / np.where(total == 0, 1, total)
    return y, lambda dy: y * (dy - (y * dy).sum(axis, keepdims=True))
"""
#: Wrong at the end of the top level, whatever came before: not solved, but defined.
WRONG = "\nimport numpy as np\ndef softmax(x, axis=-1):\n    return np.zeros_like(x), lambda dy: np.zeros_like(dy)\n"


def tried(source: str | bytes, seconds: float = 10.0, in_process: bool = False) -> Verdict:
    return grade(SOFTMAX, source, seconds=seconds, in_process=in_process, timed=False)


def test_the_right_answer_passes_so_that_the_attacks_mean_something():
    assert tried(RIGHT).passed
    assert tried(WRONG).status == "wrong"


READ = "text = {}\nspace = {{}}\nexec(text, space)\nsoftmax = space['softmax']\n"
PATH = repr(str(HERE))
#: How to get at the library's own function, or at its text.
AROUND = {
    "import_module": "import importlib\nsoftmax = importlib.import_module('groundup.ops.activations').softmax",
    "__import__": "softmax = __import__('groundup.ops.activations', fromlist=['softmax']).softmax",
    "exec": "exec('from ' + 'groundup.ops.activations import softmax')",
    "inside the function": "def softmax(x, axis=-1):\n"
    "    return getattr(__import__('groundup.ops.activations').ops.activations, 'softmax')(x, axis)",
    "loader": "import importlib.util as u\n"
    f"spec = u.spec_from_file_location('mine', {PATH})\n"
    "module = u.module_from_spec(spec)\nspec.loader.exec_module(module)\nsoftmax = module.softmax",
    "bootstrap": "import importlib._bootstrap as b, sys\n"
    f"sys.path.insert(0, {str(HERE.parents[2])!r})\n"
    "softmax = b._gcd_import('groundup.ops.activations').softmax",
    "runpy": f"import runpy\nsoftmax = runpy.run_path({PATH})['softmax']",
    "open": READ.format(f"open({PATH}, encoding='utf-8').read()"),
    "bytes path": READ.format(f"open({PATH}.encode(), encoding='utf-8').read()"),
    "os.open": "import os\n" + READ.format(f"os.read(os.open({PATH}, os.O_RDONLY), 100000).decode()"),
    "FileIO": "import io\n" + READ.format(f"io.FileIO({PATH}).read().decode()"),
    "open_code": "import io\n" + READ.format(f"io.open_code({PATH}).read().decode()"),
    "np.fromfile": "import numpy as np\n" + READ.format(f"np.fromfile({PATH}, np.uint8).tobytes().decode()"),
    "np.memmap": "import numpy as np\n" + READ.format(f"np.memmap({PATH}, np.uint8, 'r').tobytes().decode()"),
    "linecache": "import linecache\n" + READ.format(f"''.join(linecache.getlines({PATH}))"),
    "detour": "import os\n" + READ.format(f"open(os.path.dirname(os.__file__) + '/..' * 20 + {PATH}).read()"),
    "lying path": "class P(str):\n"
    "    def startswith(self, *a): return True\n"
    "    def __contains__(self, x): return False\n" + READ.format(f"open(P({PATH}), encoding='utf-8').read()"),
    "through an except": "try:\n    softmax = __import__('groundup.ops.activations', fromlist=['x']).softmax\n"
    f"except BaseException:\n    pass\n{RIGHT.replace('def softmax', 'def mine')}\n"
    "softmax = globals().get('softmax', mine)",
    "subprocess": "import sys, os, subprocess, tempfile, json\nimport numpy as np\n"
    "CODE = '''import sys, json, numpy as np\nfrom groundup.ops.activations import softmax\n"
    "r = json.loads(sys.argv[1])\ny, b = softmax(np.array(r[0], r[3]), r[1])\n"
    "print(json.dumps([y.tolist(), b(np.array(r[2], r[3])).tolist() if r[2] is not None else 0]))'''\n"
    f"PATHS = {os.pathsep.join(dict.fromkeys(p for p in sys.path if p))!r}\n"
    "def run(x, axis, dy):\n"
    "    r = json.dumps([x.tolist(), axis, None if dy is None else dy.tolist(), x.dtype.str])\n"
    "    env = {**os.environ, 'PYTHONPATH': PATHS}\n"
    "    return json.loads(subprocess.run([sys.executable, '-c', CODE, r], env=env, capture_output=True).stdout)\n"
    "def softmax(x, axis=-1):\n"
    "    y = np.array(run(x, axis, None)[0], x.dtype)\n"
    "    return y, lambda dy: np.array(run(x, axis, dy)[1], x.dtype)",
}


@pytest.mark.parametrize("name", AROUND)
def test_the_reference_is_out_of_reach(name: str):
    verdict = tried(AROUND[name])
    # An isolated interpreter does not even find a groundup that is installed as a link to its folder.
    assert verdict.status == "refused" or "No module named 'groundup" in verdict.message, verdict.text()


@pytest.mark.parametrize("name", [name for name in AROUND if name not in ("subprocess", "detour")])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_a_process_of_its_own_that_would_have_passed(name: str):
    assert tried(AROUND[name], in_process=True).passed


@pytest.mark.parametrize(
    "line",
    [
        "import groundup.ops.activations",
        "from groundup.ops.activations import softmax",
        "from scipy.special import softmax",
        "import torch",
        "from . import activations",
        "import jax.numpy as np",
        "import ctypes",
        "import subprocess",
    ],
)
def test_forbidden_imports_are_named_with_their_line(line: str):
    verdict = tried(f"x = 1\n{line}\n{RIGHT}")
    assert verdict.status == "refused"
    assert verdict.lines == ((2, line),)


OPEN = f"open({PATH}, encoding='utf-8').read()"
GUARD = {  # first the guard is attacked, then the text is read
    "built-ins changed": "import builtins\nbuiltins.str = builtins.type = builtins.tuple = lambda *a: ''\n"
    "builtins.any = builtins.all = lambda *a: True\n",
    "__builtins__ changed": "__builtins__['len'] = lambda *a: 0\n__builtins__['isinstance'] = lambda *a: True\n",
    "frames of the refusal": "def walk(e):\n"
    "    t = e.__traceback__\n"
    "    while t:\n"
    "        f = t.tb_frame\n"
    "        for d in (f.f_locals, f.f_globals):\n"
    "            for k in list(d):\n"
    "                if k in ('tell', 'refusal', 'what', 'hook', 'event', 'path'):\n"
    "                    d[k] = (lambda *a: None)\n"
    "        t = t.tb_next\n"
    f"try:\n    {OPEN}\nexcept BaseException as e:\n    walk(e)\n",
    "a tracer": "import sys\ndef tracer(frame, event, arg):\n"
    "    frame.f_locals['what'] = ''\n    return tracer\nsys.settrace(tracer)\nsys.setprofile(tracer)\n",
    "own audit hook": "import sys\nsys.addaudithook(lambda *a: None)\n",
    "the guard's module": "import sys\nfor name in ('guard', 'session', 'wire', '__main__'):\n"
    "    m = sys.modules.get(name)\n"
    "    for key in list(vars(m) if m else ()):\n"
    "        if key in ('Refused', 'HOOK', 'EVENTS', 'UNWANTED', 'watch', 'limit'):\n"
    "            setattr(m, key, type('R', (Exception,), {}))\n",
    "all objects": "import gc\n"
    "for o in gc.get_objects():\n"
    "    if getattr(o, '__name__', '') == 'hook':\n        o.__code__ = (lambda event, args: None).__code__\n",
    "referrers": "import gc, sys\nfor o in gc.get_referrers(sys.modules['guard'].Refused):\n    pass\n",
}


@pytest.mark.parametrize("name", GUARD)
def test_the_guard_cannot_be_changed(name: str):
    verdict = tried(f"{GUARD[name]}{READ.format(OPEN)}")
    assert verdict.status in ("refused", "exited"), verdict.text()


REFUSED = {
    "os.system": "import os\nos.system('true')",
    "os.popen": "import os\nos.popen('true')",
    "os.fork": "import os\nwhile True:\n    os.fork()",
    "os.execv": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', ''])",
    "os.posix_spawn": "import os\nos.posix_spawn('/bin/true', ['/bin/true'], {})",
    "fork_exec": "import _posixsubprocess as p\np.fork_exec([b'/bin/true'], [b'/bin/true'], *[None] * 20)",
    "multiprocessing": "m = __import__('multiprocessing')",
    "a signal to the grader": "import os\nos.kill(os.getppid(), 9)",
    "a signal to the group": "import os\nos.killpg(os.getpgid(os.getppid()), 9)",
    "the grader's memory": "import os\nopen(f'/proc/{os.getppid()}/mem', 'r+b')",
    "ctypes": "c = __import__('ctypes')\nc.CDLL(None)",
    "_ctypes": "c = __import__('_ctypes')",
    "a socket": "import socket\nsocket.socket().connect(('127.0.0.1', 9))",
    "writing a file": "open('x.txt', 'w').write('x')",
    "np.save": "import numpy as np\nnp.save('x.npy', np.ones(2))",
    "removing a file": f"import os\nos.remove({str(HERE) + '.none'!r})",
    "limits": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (-1, -1))",
    "an installed package": "import importlib\nimportlib.import_module('rich')",
}


ESCAPES = {  # ways that a list of what is forbidden did not see
    "readline": f"import readline\nreadline.read_history_file({PATH})\n"
    "text = chr(10).join(readline.get_history_item(i + 1) for i in range(readline.get_current_history_length()))\n"
    + READ.format("text"),
    "readline by way of pdb": f"import pdb, sys\nsys.modules['readline'].read_history_file({PATH})\n",
    "tkinter": f"import tkinter\ntext = tkinter.Tcl().eval('set f [open {HERE}]; read $f')\n" + READ.format("text"),
    "_tkinter": "t = __import__('_tkinter')\nt.create()\n",
    "another interpreter": "i = __import__('_xxsubinterpreters')\nx = i.create()\n"
    f'i.run_string(x, "print(open({PATH}).read())")\n',
    "another interpreter, by its test": ""
    f"t = __import__('_testcapi')\nt.run_in_subinterp(\"print(open({PATH}).read())\")\n",
    "a library under another name": "import _imp, importlib.machinery as m, importlib.util as u\n"
    "spec = u.find_spec('_bisect')\n"
    "for name in ('x._posixsubprocess', 'numpy._posixsubprocess', 'os._posixsubprocess'):\n"
    "    path = spec.origin.replace('_bisect', '_posixsubprocess')\n"
    "    s = m.ModuleSpec(name, None, origin=path)\n    p = _imp.create_dynamic(s)\n    _imp.exec_dynamic(p)\n",
    "doubled separators": READ.format(f"open({str(HERE.parents[1] / 'ops')!r} + '//./activations.py').read()"),
    "a signal by pidfd": "import os, signal\nfd = os.pidfd_open(os.getppid())\n"
    "signal.pidfd_send_signal(fd, signal.SIGTERM)\n",
    "a signal by a descriptor": "import os, fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())\n",
    "an attribute of a file": f"import os\nos.setxattr({PATH}, 'user.x', b'1')\n",
    "another terminal": "import pty\npty.spawn('/bin/true')\n",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_what_is_not_allowed_is_refused_without_having_been_thought_of(name: str):
    verdict = tried(f"{ESCAPES[name]}\n{RIGHT.replace('def softmax', 'def mine')}\n")
    gone = ("raised ModuleNotFoundError", "raised KeyError: 'readline'", "raised PermissionError")
    assert verdict.status == "refused" or any(words in verdict.message for words in gone), verdict.text()


ISOLATED = f"""
import os, sys
sys.path.insert(0, {str(HERE.parents[1] / "practice" / "grading")!r})
import isolate
if not isolate.isolate([], {str(HERE.parents[1]) + os.sep!r}):
    sys.exit("none here")
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
assert refused(lambda: open({PATH}))
assert refused(lambda: open("written.txt", "w"))
assert refused(lambda: os.execv(sys.executable, [sys.executable, "-c", ""]))
assert not refused(lambda: open(os.__file__))
assert not [name for name in sys.modules if "ctypes" in name]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_the_system_keeps_the_reference_unreadable_where_it_can(tmp_path: Path):
    done = subprocess.run([sys.executable, "-I", "-S", "-c", ISOLATED], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 or "none here" in done.stderr, done.stderr


def test_a_pipe_that_others_hold_is_not_waited_for():
    worker = Process("numpy", 20.0)
    assert worker.process.stderr is not None
    # A second end of the same pipe, for writing, in a process that goes on: as a grandchild would have it.
    held = os.open(f"/proc/{worker.process.pid}/fd/2", os.O_WRONLY)
    holder = subprocess.Popen(["sleep", "30"], stderr=held, start_new_session=True)
    os.close(held)
    try:
        began = time.perf_counter()
        worker.close()
        assert time.perf_counter() - began < 5
    finally:
        holder.kill()
        holder.wait()
        worker.reader.join(5.0)
        worker.process.stderr.close()


READY_MADE = {
    "native_group_norm": "torch.native_group_norm(x.reshape(-1, 1, x.shape[-1]), None, None, x[..., 0].numel(), 1, "
    "x.shape[-1], 1, eps)[0].reshape(x.shape)",
    "native_batch_norm": "torch.native_batch_norm(x.reshape(1, -1, x.shape[-1]), None, None, None, None, True, 0.0, "
    "eps)[0].reshape(x.shape)",
    "by its operator": "getattr(torch.ops.aten, 'layer' + '_norm')(x, [x.shape[-1]], None, None, eps)",
    "by the table in C": "getattr(torch._C._VariableFunctions, 'layer' + '_norm')(x, [x.shape[-1]], None, None, eps)",
    "from a file": "torch.from_file('x', size=x.numel())",
}


@pytest.mark.parametrize("name", READY_MADE)
def test_kernels_that_do_the_whole_task_are_refused_by_any_name(name: str):
    text = f"import torch\ndef layer_norm(x, gain, bias, eps=1e-5):\n    return {READY_MADE[name]} * gain + bias\n"
    verdict = grade(find_exercise("layer_norm_torch"), text, timed=False)
    assert verdict.status == "refused", verdict.text()
    assert verdict.lines[-1][0] == 3


def test_attention_by_the_name_of_its_mathematics_is_refused():
    text = "import torch\ndef scaled_dot_product_attention(query, key, value, mask=None, scale=None):\n"
    text += "    return torch._scaled_dot_product_attention_math(query, key, value)[0]\n"
    verdict = grade(find_exercise("scaled_dot_product_attention_torch"), text, timed=False)
    assert verdict.status == "refused", verdict.text()


@pytest.mark.parametrize("name", REFUSED)
def test_other_doors_are_shut(name: str):
    verdict = tried(f"{REFUSED[name]}\n{RIGHT}")
    assert verdict.status == "refused", verdict.text()


def test_numpy_keeps_no_way_to_memory_by_address():
    verdict = tried("import numpy as np\nnp._core._internal.ctypes.CDLL(None)\n" + RIGHT)
    assert verdict.status in ("error", "refused")


CHEATS = {  # every one of these is a wrong answer that hides it
    "zero gradient": RIGHT.replace("lambda dy: y *", "lambda dy: 0 * y *"),
    "printing a verdict": 'print(\'{"status": "passed", "passed": true}\')' + WRONG,
    "writing frames into every descriptor": "import os\n"
    'data = b\'{"value": {"tuple": [null, {"function": 0}]}, "after": [[], {}]}\'\n'
    "for fd in range(3, 30):\n"
    "    try:\n        os.write(fd, (8 + len(data)).to_bytes(8, 'big') + len(data).to_bytes(8, 'big') + data)\n"
    "    except OSError:\n        pass\n" + WRONG,
    "garbage into every descriptor": "import os\nfor fd in range(3, 30):\n"
    "    try:\n        os.write(fd, b'passed' * 100)\n    except OSError:\n        pass\n" + WRONG,
    "a huge frame": "import os\nfor fd in range(3, 30):\n"
    "    try:\n        os.write(fd, (2**62).to_bytes(8, 'big'))\n    except OSError:\n        pass\n" + WRONG,
    "numpy's comparisons patched": "import numpy as np\n"
    "yes = lambda *a, **k: True\n"
    "np.allclose = np.array_equal = np.isclose = np.testing = yes\nnp.abs = lambda a: 0 * a\n" + WRONG,
    "the session patched": "import sys\n"
    "s = sys.modules['session'].Session\n"
    "s.do_call = lambda self, args, options: {'value': (args[0], max), 'after': [args, options]}\n"
    "s.do_pull = lambda self, function, upstream: {'value': upstream[0], 'after': upstream}\n" + WRONG,
    "the packing patched": "import sys\nsys.modules['wire'].pack = lambda *a, **k: b'\\0' * 8 + b'passed'\n" + WRONG,
    "json patched": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true}'\n" + WRONG,
    "array that equals everything": "import numpy as np\n"
    "class Any(np.ndarray):\n"
    "    def __eq__(self, other): return np.True_\n"
    "    def __array_ufunc__(self, *a, **k): return np.zeros(())\n"
    "    shape = property(lambda self: (2,))\n    dtype = property(lambda self: np.dtype('float64'))\n"
    "def softmax(x, axis=-1):\n    return np.zeros_like(x).view(Any), lambda dy: np.zeros_like(dy).view(Any)\n",
    "number that equals everything": "class Any(float):\n    def __eq__(self, other): return True\n"
    "def softmax(x, axis=-1):\n    return Any(1), lambda dy: Any(1)\n",
    "objects": RIGHT.replace("return y,", "return y.astype(object),"),
    "not a number": "import numpy as np\ndef softmax(x, axis=-1):\n"
    "    return np.full_like(x, np.nan), lambda dy: np.full_like(dy, np.nan)\n",
    "masked array": RIGHT.replace("return y,", "return np.ma.masked_array(0 * y, np.ones(y.shape, bool)),"),
    "something endless": "def softmax(x, axis=-1):\n    a = []\n    a.append(a)\n    return a, max\n",
    "a generator": "def softmax(x, axis=-1):\n    yield x\n",
    "a huge result": "import numpy as np\ndef softmax(x, axis=-1):\n    return np.zeros(10_000_000), max\n",
    "the first answer for ever": RIGHT.replace("def softmax", "def once")
    + "\nCACHE = {}\ndef softmax(x, axis=-1):\n    key = (x.shape, axis)\n"
    "    if key not in CACHE:\n        CACHE[key] = once(x, axis)\n    return CACHE[key]\n",
    "a result that changes later": RIGHT.replace("def softmax", "def fresh")
    + "\nROOM = {}\ndef softmax(x, axis=-1):\n    y, back = fresh(x, axis)\n"
    "    room = ROOM.setdefault((x.shape, x.dtype), np.empty_like(x))\n    room[...] = y\n    return room, back\n",
    "backward of the latest call": RIGHT.replace("def softmax", "def fresh")
    + "\nLAST = []\ndef softmax(x, axis=-1):\n    y, back = fresh(x, axis)\n    LAST[:] = [back]\n"
    "    return y, lambda dy: LAST[0](dy)\n",
    "right once, then wrong": RIGHT.replace("def softmax", "def right")
    + "\nN = [0]\ndef softmax(x, axis=-1):\n    N[0] += 1\n    y, back = right(x, axis)\n"
    "    return (y if N[0] < 30 else y * 0), back\n",
    "right in float64 only": RIGHT.replace("top = x", "x = x.astype(float)\n    top = x"),
    "exact on the arguments it expects": "import numpy as np\nKNOWN = {}\n"
    "def softmax(x, axis=-1):\n    return KNOWN.get(x.tobytes(), np.ones_like(x) / x.shape[axis]), lambda dy: 0 * dy\n",
    "gradient for ones only": RIGHT.replace("(dy - (y * dy)", "(1 - y").replace("lambda dy:", "lambda dy: 0 * dy +"),
    "changes its argument": RIGHT.replace("top = x", "x -= x.mean(axis, keepdims=True)\n    top = x").replace(
        "def softmax(x, axis=-1):", "def softmax(x, axis=-1):\n    x[~np.isfinite(x)] = -1e300"
    ),
    "changes the upstream gradient": RIGHT.replace(
        "return y, lambda dy: y * (dy - (y * dy).sum(axis, keepdims=True))",
        "def back(dy):\n        dy -= (y * dy).sum(axis, keepdims=True)\n        return y * dy\n    return y, back",
    ),
    "not a function": "softmax = 3\n",
    "no backward": RIGHT.replace("return y, lambda", "return y\n    lambda"),
    "backward is no function": RIGHT.replace("return y, lambda dy:", "dy = x\n    return y,"),
}


@pytest.mark.parametrize("name", CHEATS)
def test_wrong_answers_do_not_hide(name: str):
    verdict = tried(CHEATS[name])
    assert verdict.status in ("wrong", "exited", "error"), verdict.text()


ENDINGS = {
    "os._exit": ("import os\nos._exit(0)", "exited"),
    "os._exit in backward": (RIGHT.replace("lambda dy:", "lambda dy: __import__('os')._exit(0) or"), "exited"),
    "sys.exit": ("import sys\nsys.exit(0)", "exited"),
    "SystemExit in backward": (
        RIGHT.replace("lambda dy:", "lambda dy: exit_() or") + "exit_ = __import__('sys').exit\n",
        "exited",
    ),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "exited"),
    "os.abort": ("import os\nos.abort()", "exited"),
    "a huge array": ("import numpy as np\na = np.ones((200_000, 200_000))", "memory"),
    "memory little by little": ("a = []\nwhile True:\n    a.append(bytearray(10**8))", "memory timeout"),
    "recursion": ("def softmax(x, axis=-1):\n    return softmax(x, axis)", "error"),
    "recursion in C": (
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6):\n    x = [x]\nrepr(x)",
        "exited error memory",
    ),
    "an exception": ("def softmax(x, axis=-1):\n    return x.nothing", "error"),
    "an exception that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise self\ndef softmax(x, axis=-1):\n    raise E",
        "error",
    ),
    "input": ("input()", "error"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_an_end_is_a_verdict(name: str):
    source, status = ENDINGS[name]
    verdict = tried(source if "def softmax" in source else source + "\n" + RIGHT)
    assert verdict.status in status.split(), verdict.text()


NUDGING = """
import numpy as np

def nudged(f, args, upstream):
    wide = [np.asarray(a, np.longdouble) for a in args]
    found = []
    for k in range(len(args)):
        g = np.empty(wide[k].shape, np.longdouble)
        for i in np.ndindex(wide[k].shape):
            old, h = wide[k][i], np.longdouble(1e-6)
            wide[k][i] = old + h
            up = f(*wide)
            wide[k][i] = old - h
            down = f(*wide)
            wide[k][i] = old
            g[i] = sum(((a - b) * u).sum() for a, b, u in zip(up, down, upstream)) / (2 * h)
        found.append(g.astype(args[k].dtype))
    return found

def forward(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh):
    h, out = hidden, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)
        out.append(h)
    return np.stack(out, 1), h

def rnn(*args):
    return forward(*args), lambda *d: nudged(forward, args, d)
"""


def test_a_gradient_by_nudging_in_extended_precision_is_refused():
    verdict = grade(find_exercise("rnn_backward"), NUDGING, timed=False)
    assert (verdict.status, verdict.check) == ("wrong", "derivative"), verdict.text()


SLOW_LOOP = RIGHT.replace(
    "    return y, lambda dy:",
    "    for row in np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]):\n        row = row + 1\n"
    "    return y, lambda dy:",
)
CLOCKS = {
    "process_time": "import time\ntime.process_time = time.perf_counter = time.time = lambda: 0.0\n",
    "the session's": "import sys\nsys.modules['session'].time = type('T', (), {'process_time': lambda: 0.0})\n",
    "the count": "import sys\nsys.settrace = lambda *a: None\nsys.modules['session'].settrace = lambda *a: None\n"
    "import time\ndef wait(until=0):\n    end = time.process_time() + 0.3\n    while time.process_time() < end: pass\n",
}


@pytest.mark.parametrize("name", CLOCKS)
def test_no_answer_turns_the_clock_that_judges_it(name: str):
    text = CLOCKS[name] + SLOW_LOOP
    if "def wait" in text:
        text = text.replace("    for row", "    if len(x) > 1000: wait()\n    for row")
    verdict = grade(SOFTMAX, text)
    assert (verdict.status, verdict.check) == ("wrong", "speed"), verdict.text()


@pytest.mark.parametrize("way", ["replaced", "switched off"])
def test_calls_that_are_counted_cannot_be_hidden(way: str):
    exercise = find_exercise("generate_with_cache")
    thrown = next(one for one in exercise.wrong if one.name == "all read again for every token")
    text = "import sys\nsys.setprofile = lambda f: None\n" + changed(exercise, thrown)
    if way == "switched off":
        text = changed(exercise, thrown) + "\nimport sys\nmine = generate\ndef generate(*args, **options):\n"
        text += "    sys.setprofile(None)\n    return mine(*args, **options)\n"
    verdict = grade(exercise, text, timed=False)
    assert (verdict.status, verdict.check) == ("wrong", "every token once"), verdict.text()


def test_a_breakpoint_is_told_to_be_one():
    verdict = tried(RIGHT.replace("    top = x", "    breakpoint()\n    top = x"))
    assert verdict.status == "error"
    assert "`breakpoint()` waits" in verdict.message
    assert verdict.lines[-1][1] == "breakpoint()"


def test_what_was_meant_is_named():
    assert "Is it what you call `softmaks`?" in tried(RIGHT.replace("def softmax", "def softmaks")).message
    assert "There is `other`." in tried(RIGHT.replace("def softmax", "def other")).message


TORCH = {
    "assert_close": "torch.testing.assert_close(torch.ones(2), torch.ones(2))",
    "gradcheck": "torch.autograd.gradcheck(lambda x: x * x, (torch.ones(2, dtype=torch.double, requires_grad=True),))",
    "own namespace": "class norms:\n    layer_norm = layer_norm\nassert norms.layer_norm is layer_norm",
    "np.testing": "import numpy as np\nnp.testing.assert_allclose(1, 1)",
}


@pytest.mark.parametrize("name", TORCH)
def test_what_is_odd_but_right_passes_in_torch(name: str):
    exercise = find_exercise("layer_norm_torch")
    verdict = grade(exercise, f"{solution(exercise)}\n{TORCH[name]}\n")
    assert verdict.passed, verdict.text()


ENDLESS = {
    "loop at the top": "while True:\n    pass",
    "loop in the function": "def softmax(x, axis=-1):\n    while True:\n        pass",
    "loop in backward": RIGHT.replace("lambda dy:", "lambda dy: loop() or")
    + "def loop():\n    while True:\n        pass\n",
    "sleep": "import time\ntime.sleep(1000)",
    "signals ignored": "import signal\nfor s in range(1, 65):\n"
    "    try:\n        signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\n"
    "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    "printing without an end": "while True:\n    print('passed' * 1000)",
    "in C": "sum(range(10**15))",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_no_answer_in_time_is_a_verdict(name: str):
    source = ENDLESS[name]
    verdict = tried(source if "def softmax" in source else source + "\n" + RIGHT, seconds=1.0)
    assert verdict.status == "timeout", verdict.text()
    assert len(verdict.log) <= 10_000


HARMLESS = {  # odd, but right
    "prints much": "print('x' * 5_000_000)\n" + RIGHT,
    "closes stdout": "import sys\nsys.stdout.close()\nsys.stderr.close()\n" + RIGHT,
    "no stdout": "import sys\nsys.stdout = sys.stderr = None\n" + RIGHT,
    "closes descriptors 0 to 2": "import os\nos.close(0)\nos.close(1)\nos.close(2)\n" + RIGHT,
    "a thread that goes on": "import threading\nthreading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()\n"
    + RIGHT,
    "atexit": "import atexit, time\natexit.register(time.sleep, 1000)\n" + RIGHT,
    "numpy errors raised": "import numpy as np\nnp.seterr(under='ignore', invalid='raise')\n" + RIGHT,
    "a swallowed exception": "try:\n    1 / 0\nexcept Exception:\n    pass\n" + RIGHT,
    "stdlib": "import random, math, functools, itertools, dataclasses, typing, collections, abc, contextlib, enum\n"
    + RIGHT,
    "np.testing": RIGHT + "np.testing.assert_allclose(softmax(np.zeros(2))[0], 0.5)\n",
    "from numpy import *": "from numpy import *\n" + RIGHT,
    "doctest": RIGHT.replace("axis=-1):", "axis=-1):\n    '>>> softmax(np.zeros(2))[0].tolist()\\n[0.5, 0.5]\\n'")
    + "import doctest\nassert doctest.testmod() == (0, 1), doctest.testmod()\n",
    "cProfile": RIGHT + "import cProfile\ncProfile.run('softmax(np.ones((2, 3)))')\n",
    "inspect": RIGHT + "import inspect\nassert 'def softmax' in inspect.getsource(softmax)\n",
    "position only": RIGHT.replace("axis=-1)", "axis=-1, /)"),
    "a callable instance": RIGHT.replace("def softmax", "def mine")
    + "class Soft:\n    def __call__(self, x, axis=-1):\n        return mine(x, axis)\nsoftmax = Soft()\n",
    "a partial": "import functools\n"
    + RIGHT.replace("def softmax", "def mine")
    + "softmax = functools.partial(mine)\n",
    "much of the standard library": "import statistics, decimal, fractions, json, logging, unittest, csv, uuid\n"
    "import pickle, tempfile, traceback, urllib.parse, zoneinfo, pdb, timeit, secrets, heapq, bisect, string, pprint\n"
    + RIGHT,
    "windows lines and a mark": "\ufeff" + RIGHT.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_odd_but_right_passes(name: str):
    source = HARMLESS[name]
    began = time.perf_counter()
    verdict = tried(source.encode() if source.startswith("\ufeff") else source)
    assert verdict.passed, verdict.text()
    assert len(verdict.log) <= 10_000
    assert time.perf_counter() - began < 60


TEXTS: dict[str, tuple[str | bytes, str]] = {
    "no UTF-8": (b"# caf\xe9\n" + RIGHT.encode(), "error"),
    "null bytes": ("x = 1\0\n" + RIGHT, "error"),
    "no Python": ("def softmax(x:\n" + RIGHT, "error"),
    "deeply nested": ("x = " + "(" * 5000 + ")" * 5000 + "\n" + RIGHT, "error"),
    "deep minus": ("x = " + "-" * 50_000 + "1\n" + RIGHT, "error"),
    "endless sum": ("x = " + "1+" * 50_000 + "1\n" + RIGHT, "error"),
    "too long": ("#" * 300_000 + "\n" + RIGHT, "error"),
    "half a character": ("x = '\ud800'\n" + RIGHT, "error"),
    "empty": ("", "unwritten"),
    "only a comment": ("# later\n", "unwritten"),
    "return at the top": ("return 1\n" + RIGHT, "error"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_answer_is_said_to_be_none(name: str):
    source, status = TEXTS[name]
    verdict = tried(source)
    assert verdict.status == status, verdict.text()


def test_nothing_is_left_behind():
    threads = threading.active_count()
    worker = Process("numpy", 5.0)
    folder, process = Path(worker.folder.name), worker.process
    assert folder.is_dir()
    worker.close()
    assert process.poll() is not None
    assert not folder.exists()
    soon = time.monotonic() + 5  # a timer that was told to stop takes a moment
    while threading.active_count() > threads and time.monotonic() < soon:
        time.sleep(0.01)
    assert threading.active_count() <= threads


def test_the_grader_imports_without_torch():
    code = "import sys, groundup.practice.grading.grader, groundup.practice.notebook, groundup.practice.registry as r\n"
    code += "r.all_exercises()\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
