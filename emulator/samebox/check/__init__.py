"""The contract kit: will this image work on SageMaker? Checks on any image, ours or not, and their reports.

How a check is added
--------------------

1. Choose its module: `static/` reads the image and runs nothing; `training/`, `serving/`, `artifact/` and their like
   run it. One module is one subject ("how the server starts"), with its checks in a tuple at its end.

2. Say what must hold. The rule is a value; its id never changes once it is published:

       STARTS = Rule(
           "serve-ping-timeout",                            # kebab-case; begins with the family's word
           "/ping answers within 2 s",                      # the claim that is true when it passes
           "contract §2.2",                                 # who says so: a section, an AWS page, an issue
           "fail",                                          # or "warn": it may work, and it is asking for trouble
           "serving",
           "Answer /ping without touching the model; load it before the server listens.",   # how to mend it
       )

3. Look. A function takes a Context and gives a Finding (or several):

       def ping_timeout(context: Context) -> Finding:
           server = context.shared.get("server", lambda: start_server(context), stop_server)
           seconds = server.ping(timeout=min(2.0, context.deadline.left))
           if seconds is None:
               return STARTS.broken("no answer within 2 s", line=line_of_the_cure)
           return STARTS.passed(f"{seconds * 1000:.0f} ms")

   - `rule.passed(seen)`, `.broken(seen, remedy?, line?)` (as grave as the rule), `.warned(...)`, `.skipped(why)`.
   - Where a program failed, `.quoting(quotes, log)` adds its own words, whole (`ended.quoted_in(finding)` of a job);
     what of a log is worth quoting is told by `samebox.log_excerpt`.
   - Raise `CannotCheck("the server never became ready: see serve-ready")` when another rule tells the reason.
   - Anything else that is raised becomes "could not be checked: ...", as grave as the rule. Never catch to hide.
   - `context.subject.reference` is what a ContainerSpec takes. Every container and network gets
     `labels=context.labels`: what bears them is removed at the end, on Ctrl-C, at the check's time
     limit, and by the next run after a kill -9. Remove them yourself as soon as they have served, too. Files to
     mount go below `context.scratch`.
   - `context.options.workbench` sets up containers as SageMaker does; `training/job.py` and `processing/job.py` run
     jobs in it, out of the hosts of `hosts.py`.
   - `context.deadline.left` limits every wait. With `context.options.fast`, shorten what must wait, and say so
     in `seen`. `context.report("trying it as root")` says what is being done meanwhile.
   - `context.shared.get(key, make, close)` makes what several checks use once; its failure is remembered, too.
     `context.shared.begin` makes it in the background, for a check that is in `context.wanted` and has no clock.
   - `context.dockerfile`, when given, knows lines: `context.dockerfile.line("ENTRYPOINT")`.
   - `context.subject.config`, `.files`, `.which("serve")`, `.read_file(path)` read the image itself (needs "files").

4. Declare it: `Check(STARTS, ping_timeout, needs=frozenset({"engine"}), claims=frozenset({"serve"}), seconds=30)`.
   A need that is not met makes it skipped, with the reason. A claim that nobody makes leaves it out; so does one of
   `further` ("pipe", "read-only-root"), which is asked for with an option beside the claim. Put the module's
   tuple into `registry.py`; the order there is the order in which they run.

   Where container-structure-test or goss can say it, too, `exports/` is where; where they cannot, `exports/reasons.py`
   says why, by how the id begins.

5. Test it: a fixture (tests/check/fixtures) that breaks exactly this rule, a valid one that keeps it, and tests of the
   cases in between.

This room imports nothing of the emulator but the data types of `samebox.containers.engine`.
"""
