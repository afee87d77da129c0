"""The contract kit: will this image work on SageMaker? Checks for any image, and their reports.

How a check is added
--------------------

1. Choose its module: `static/` reads the image and runs nothing; `training/`, `serving/`, `artifact/` and their like
   run it. One module is one subject ("how the server starts"), with its checks in a tuple at its end.

2. Define the rule. It is a value; its id never changes once it is published:

       STARTS = Rule(
           "serve-ping-timeout",                            # kebab-case; begins with the subject
           "/ping answers within 2 s",                      # the statement that is true when it passes
           "contract §2.2",                                 # the source: a section, an AWS page, an issue
           "fail",                                          # or "warn": it may work, but is risky
           "serving",
           "Answer /ping without touching the model; load it before the server listens.",   # the remedy
       )

3. Check it. A function takes a Context and returns a Finding (or several):

       def ping_timeout(context: Context) -> Finding:
           server = context.shared.get("server", lambda: start_server(context), stop_server)
           seconds = server.ping(timeout=min(2.0, context.deadline.left))
           if seconds is None:
               return STARTS.broken("no answer within 2 s", line=line_of_the_cure)
           return STARTS.passed(f"{seconds * 1000:.0f} ms")

   - `rule.passed(seen)`, `.broken(seen, remedy?, line?)` (with the rule's severity), `.warned(...)`, `.skipped(why)`.
   - Where a program failed, `.quoting(quotes, log)` adds its output (`ended.quoted_in(finding)` for a job);
     `samebox.log_excerpt` selects the lines of a log that are worth quoting.
   - Raise `CannotCheck("the server never became ready: see serve-ready")` when another rule reports the cause.
   - Any other exception becomes "could not be checked: ...", with the rule's severity. Never catch one to hide it.
   - `context.subject.reference` is the image of a ContainerSpec. Every container and network gets
     `labels=context.labels`: everything with these labels is removed at the end, on Ctrl-C, at the check's time
     limit, and by the next run after a kill -9. Still, remove them as soon as they are no longer needed. Files to
     mount go below `context.scratch`.
   - `training/job.py` and `processing/job.py` run jobs as the platform does (emulator/samebox/platform), on the hosts
     of `hosts.py`.
   - `context.deadline.left` limits every wait. With `context.options.fast`, shorten waits, and mention it in `seen`.
     `context.report("trying it as root")` shows the current step on the screen.
   - `context.shared.get(key, make, close)` makes something once for several checks, and remembers its failure.
     `context.shared.begin` makes it in the background, for an untimed check that is in `context.wanted`.
   - `context.dockerfile`, when given, knows lines: `context.dockerfile.line("ENTRYPOINT")`.
   - `context.subject.config`, `.files`, `.which("serve")`, `.read_file(path)` read the image itself (needs "files").

4. Declare it: `Check(STARTS, ping_timeout, needs=frozenset({"engine"}), claims=frozenset({"serve"}), seconds=30)`.
   If a need is not met, the check is skipped, with the reason. It runs only if one of its claims is made, and all of
   `further` ("pipe", "read-only-root"), which have options of their own. Put the module's tuple into `registry.py`;
   the order there is the order in which they run.

   If container-structure-test or goss can express the rule, add it to `exports/`; if not, `exports/reasons.py` has the
   reason, by rule id or prefix.

5. Test it: a fixture (tests/check/fixtures) that breaks exactly this rule, a valid one that keeps it, and tests of the
   cases in between.

This package imports nothing of the emulator but the data types of `samebox.containers.engine`.
"""
