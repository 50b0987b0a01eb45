"""Checks, and how many held."""
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print("FAIL", what, flush=True)


def end():
    """The last line of a suite; its exit status."""
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0
