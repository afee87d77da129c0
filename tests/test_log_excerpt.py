"""What is quoted of a log: exceptions of many languages, whole, however a container writes them."""

from __future__ import annotations

import json

import pytest

from samebox.log_excerpt import exception_in, excerpt, headline, readable, runtime_reason

TRACEBACK = """Traceback (most recent call last):
  File "/opt/train.py", line 9, in <module>
    main()
  File "/opt/train.py", line 5, in main
    raise ValueError("no label")
ValueError: no label""".splitlines()

CHAINED = """Traceback (most recent call last):
  File "/opt/train.py", line 2, in load
    return columns["label"]
           ~~~~~~~^^^^^^^^^
KeyError: 'label'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/train.py", line 4, in load
    raise ValueError("no label") from error
ValueError: no label

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/opt/train.py", line 9, in <module>
    main()
RuntimeError: cannot train""".splitlines()

OF_A_PROCESS = '''multiprocessing.pool.RemoteTraceback:
"""
Traceback (most recent call last):
  File "/usr/lib/python3.10/multiprocessing/pool.py", line 125, in worker
    result = (True, func(*args, **kwds))
ZeroDivisionError: division by zero
"""

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/train.py", line 3, in <module>
    pool.map(work, range(3))
ZeroDivisionError: division by zero'''.splitlines()

GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/opt/train.py", line 1, in <module>
  |     raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------""".splitlines()

MESSAGE_OF_LINES = """Traceback (most recent call last):
  File "/opt/train.py", line 3, in <module>
    net.load_state_dict(weights)
RuntimeError: Error(s) in loading state_dict for Net:
\tMissing key(s) in state_dict: "fc.weight".
\tUnexpected key(s) in state_dict: "head.weight".""".splitlines()

OF_A_GRAPH = """Traceback (most recent call last):
  File "/opt/train.py", line 3, in <module>
    model.fit(x, y)
tensorflow.python.framework.errors_impl.InvalidArgumentError: Graph execution error:

Detected at node 'mul' defined at (most recent call last):
    File "/opt/train.py", line 3, in <module>
Node: 'mul'
Incompatible shapes: [2] vs. [3]
\t [[{{node mul}}]] [Op:__inference_train_function_12]""".splitlines()

SYNTAX = """  File "/opt/train.py", line 3
    def main(:
             ^
SyntaxError: invalid syntax""".splitlines()

FAULT = """Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/opt/train.py", line 3 in work
  File "/opt/train.py", line 9 in <module>""".splitlines()

JAVA = """Exception in thread "main" java.lang.IllegalStateException: no model
\tat com.example.Serve.load(Serve.java:12)
\tat com.example.Serve.main(Serve.java:5)
Caused by: java.io.FileNotFoundException: /opt/ml/model/a.bin
\tat java.base/java.io.FileInputStream.open0(Native Method)
\t... 2 more""".splitlines()

NODE = """Error: Cannot find module 'express'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1039:15)
    at node:internal/main/run_main_module:23:47 {
  code: 'MODULE_NOT_FOUND',
  requireStack: []
}""".splitlines()

CPP = """terminate called after throwing an instance of 'std::runtime_error'
  what():  no weights
Aborted (core dumped)""".splitlines()

GO = """panic: open /opt/ml/model: no such file or directory

goroutine 1 [running]:
main.main()
\t/app/main.go:12 +0x1d
exit status 2""".splitlines()

RUST = """thread 'main' panicked at src/main.rs:2:5:
no model
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace""".splitlines()

GLOG = """F1129 12:00:01.000000    12 net.cpp:18] Check failed: layers > 0 (0 vs. 0)
*** Check failure stack trace: ***
    @     0x7f0000000001  google::LogMessage::Fail()
    @     0x7f0000000002  main""".splitlines()

LOGURU = """Traceback (most recent call last):

  File "/opt/train.py", line 9, in <module>
    main()
    └ <function main at 0x7f00>

> File "/opt/train.py", line 5, in main
    raise ValueError("no label")

ValueError: no label""".splitlines()

RICH = """╭───────────── Traceback (most recent call last) ─────────────╮
│ /opt/train.py:5 in main                                     │
│ ❱ 5     raise ValueError("no label")                        │
╰─────────────────────────────────────────────────────────────╯
ValueError: no label""".splitlines()

RUBY = """app.rb:3:in `load': no weights (RuntimeError)
\tfrom app.rb:7:in `<main>'""".splitlines()

EVERY = [
    pytest.param(lines, id=name)
    for name, lines in {
        "python": TRACEBACK,
        "chained": CHAINED,
        "message of lines": MESSAGE_OF_LINES,
        "graph": OF_A_GRAPH,
        "group": GROUP,
        "syntax": SYNTAX,
        "fault": FAULT,
        "java": JAVA,
        "node": NODE,
        "c++": CPP,
        "go": GO,
        "rust": RUST,
        "glog": GLOG,
        "ruby": RUBY,
        "loguru": LOGURU,
        "rich": RICH,
    }.items()
]


@pytest.mark.parametrize("lines", EVERY)
def test_an_exception_is_quoted_whole_and_alone(lines: list[str]) -> None:
    log = ["epoch 1: loss 0.9", "epoch 2: loss 0.5", *lines, "[train] training ended with exit code 1"]

    assert list(exception_in(log)) == lines
    assert list(excerpt(log)) == lines


@pytest.mark.parametrize("lines", EVERY)
def test_an_exception_may_be_the_first_and_the_last_that_a_log_has(lines: list[str]) -> None:
    assert list(exception_in(lines)) == lines


def test_what_a_process_of_a_pool_raised_belongs_to_the_exception() -> None:
    assert list(exception_in(OF_A_PROCESS)) == OF_A_PROCESS[2:]


def test_the_last_exception_counts() -> None:
    assert list(exception_in([*CHAINED, "retrying", *TRACEBACK, "giving up"])) == TRACEBACK


@pytest.mark.parametrize(
    "mark",
    [
        "[1,0]<stderr>:",
        "[1,mpirank:0]<stderr>:",
        "[1,mpirank:0,algo-1]<stderr>:",
        "2026-11-29T12:00:01.123456Z ",
        "2026-11-29 12:00:01,123 ERROR train: ",
        "[2026-11-29 12:00:01 +0000] [7] [ERROR] ",
        "algo-1-abcde_1  | ",
    ],
)
@pytest.mark.parametrize("lines", [TRACEBACK, CHAINED, JAVA], ids=["python", "chained", "java"])
def test_the_mark_in_front_of_each_line_is_left_out(lines: list[str], mark: str) -> None:
    marked = [f"{mark}{line}".replace(":01", f":{number % 60:02}") for number, line in enumerate(["begun", *lines])]

    assert list(exception_in([*marked, f"{mark}it ended"])) == lines


def test_a_mark_may_stand_on_the_first_line_alone() -> None:
    first, *rest = TRACEBACK

    assert list(exception_in([f"2026-11-29 12:00:01,123 ERROR {first}", *rest, "done"])) == TRACEBACK


def test_ranks_that_fail_at_once_are_distinguished() -> None:
    both = [f"[1,{rank}]<stderr>:{line}" for line in TRACEBACK for rank in (1, 0)]
    banner = ["-----", "Primary job  terminated normally, but 1 process returned a non-zero exit code.", "-----"]

    assert list(exception_in([*both, *banner])) == TRACEBACK


def test_a_piece_of_a_rank_may_begin_within_a_line() -> None:
    marked = [f"[1,0]<stderr>:{line}" for line in TRACEBACK]
    marked[-1] = "[1,0]<stderr>:ValueError: no[1,0]<stderr>: label"

    assert list(exception_in(marked)) == TRACEBACK


@pytest.mark.parametrize("key", ["traceback", "exc_info", "stack_trace"])
def test_the_traceback_of_a_json_record_is_unfolded(key: str) -> None:
    record = json.dumps({"level": "ERROR", "message": "no model", key: "\n".join(TRACEBACK)})

    assert list(readable(record)) == ["no model", *TRACEBACK]
    assert list(exception_in([record, json.dumps({"message": "GET /ping 503"})])) == TRACEBACK


def test_a_traceback_within_the_message_of_a_json_record_is_unfolded_once() -> None:
    text = "\n".join(["no model", *TRACEBACK])

    assert list(readable(json.dumps({"message": text, "traceback": "\n".join(TRACEBACK)}))) == text.splitlines()


def test_a_traceback_within_a_json_object_is_found() -> None:
    record = json.dumps({"msg": "no model", "error": {"stack": ["Error: no model", "    at load (a.js:1:2)"]}})

    assert list(exception_in([record])) == ["Error: no model", "    at load (a.js:1:2)"]


def test_a_traceback_that_was_printed_as_one_string_is_unfolded() -> None:
    assert list(exception_in(["failed: '" + "\\n".join(TRACEBACK) + "\\n'"]))[:6] == TRACEBACK


@pytest.mark.parametrize("line", ["{not json", '{"a": 1}', '["message"]', "plain  ", '{"message": 3}'])
def test_what_is_no_record_is_shown_as_it_is(line: str) -> None:
    assert readable(line) == (line.rstrip(),)


def test_colours_and_progress_bars_do_not_hide_an_exception() -> None:
    coloured = [f"\x1b[31m{line}\x1b[0m" for line in TRACEBACK]

    assert list(exception_in([" 10%|#\r 20%|##\r", *coloured])) == TRACEBACK


def test_without_an_exception_the_last_lines_that_complain_are_quoted() -> None:
    log = ["error: one", "epoch 1", "usage: train [-h]", "train: error: unrecognized arguments: --epochs", "bye"]

    assert exception_in(log) == ("train: error: unrecognized arguments: --epochs",)
    assert excerpt(log, last=1) == ("train: error: unrecognized arguments: --epochs", "bye")


@pytest.mark.parametrize(
    "line",
    [
        "/usr/local/bin/train: line 3: pyhton: command not found",
        "nginx: [emerg] no port in upstream",
        "Segmentation fault (core dumped)",
        "ERROR there is no column",
        "ValueError: 64 values were expected",
        "OSError: [Errno 28] No space left on device",
        "Killed",
    ],
)
def test_a_line_that_complains_is_found(line: str) -> None:
    assert exception_in(["begun", line, "done"]) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "epoch 3: mean_squared_error: 0.31 val_error=0.5",
        "training error 0.12",
        "0 errors, 3 warnings",
        "UserWarning: could not infer the format",
        "2026-11-29 12:00:01.1: W tensorflow/stream.cc:64] Could not load dynamic library 'libcudart.so.11.0'",
        "epoch 4",
    ],
)
def test_what_does_not_complain_is_not_quoted_as_if_it_did(line: str) -> None:
    assert exception_in([line]) == ()


def test_a_log_without_a_complaint_is_quoted_with_its_last_lines() -> None:
    assert excerpt(["one", "two", "", "three", "four"], last=2) == ("three", "four")
    assert excerpt([]) == ()


def test_after_an_exception_of_long_ago_the_last_lines_are_quoted_too() -> None:
    log = [*TRACEBACK, *(f"epoch {number}" for number in range(100)), "there is no column label"]

    assert excerpt(log, last=1) == (*TRACEBACK, "there is no column label")


def test_a_header_without_a_traceback_is_none() -> None:
    assert exception_in(["Traceback (most recent call last):", "", "epoch 1"]) == ()


def test_of_a_runtimes_message_the_end_names_what_could_not_be_started() -> None:
    error = (
        "failed to create task for container: OCI runtime create failed: runc create failed: unable to start container "
        'process: error during container init: exec: "train": executable file not found in $PATH: unknown'
    )

    assert runtime_reason(error) == 'exec: "train": executable file not found in $PATH'
    assert runtime_reason("the disk is full") == "the disk is full"


@pytest.mark.parametrize(
    "line",
    [
        "2 workers, 1 predictions at once in each, 1 threads in each prediction",
        "server started at http://0.0.0.0:8080",
        "stopped at epoch 3 (took 1:20)",
        "looking at s3://bucket/key at 12:30",
    ],
)
def test_a_sentence_with_the_word_at_is_no_frame_of_an_exception(line: str) -> None:
    assert exception_in(["installing requirements.txt", line]) == ()
    assert exception_in(["installing requirements.txt", line, "ERROR: no model"]) == ("ERROR: no model",)


@pytest.mark.parametrize(
    "frame",
    [
        "    at com.acme.Model.load(Model.java:12)",
        "    at java.base/java.lang.Thread.run(Thread.java:840)",
        "    at sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)",
        "    at load (/app/model.js:3:7)",
        "    at async Server.start (file:///app/server.mjs:10:3)",
        "    at Object.load [as default] (/app/model.js:3:7)",
        "    at new Model (/app/model.js:1:1)",
        "    at /app/model.js:3:7",
        "    at Array.map (<anonymous>)",
        "   at Acme.Model.Load(String path) in /src/Model.cs:line 12",
        "   at Acme.Model.Load()",
    ],
)
def test_frames_of_java_node_and_net_are_of_their_exception(frame: str) -> None:
    assert exception_in(["starting", "Error: no model", frame, "ended"]) == ("Error: no model", frame)


@pytest.mark.parametrize(
    ("quoted", "line"),
    [
        (CHAINED, "RuntimeError: cannot train"),
        (MESSAGE_OF_LINES, "RuntimeError: Error(s) in loading state_dict for Net:"),
        (GROUP, "ExceptionGroup: two (2 sub-exceptions)"),
        (SYNTAX, "SyntaxError: invalid syntax"),
        (JAVA, 'Exception in thread "main" java.lang.IllegalStateException: no model'),
        (NODE, "Error: Cannot find module 'express'"),
        (CPP, "terminate called after throwing an instance of 'std::runtime_error' what():  no weights"),
        (GO, "panic: open /opt/ml/model: no such file or directory"),
        (RUST, "thread 'main' panicked at src/main.rs:2:5: no model"),
        (LOGURU, "ValueError: no label"),
        (RICH, "ValueError: no label"),
        (["one", "error: two", ""], "error: two"),
        ([], ""),
    ],
)
def test_one_line_names_the_fault(quoted: list[str], line: str) -> None:
    assert headline(quoted) == line
