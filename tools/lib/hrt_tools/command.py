"""How every tool ends: 0 done, 2 with one line that says what was wrong, 128 + signal when it was stopped."""
import os
import signal
import sys


class Failure(Exception):
    """Bad input, or a step that cannot be done here. The message is one line and names file and place."""


def run(main):
    """Calls main(arguments) and ends the process as described above."""
    signal.signal(signal.SIGTERM, stop)
    try:
        main(sys.argv[1:])
    except Failure as failure:
        line = " ".join(str(failure).split())
        sys.exit(fail(line))
    except OSError as error:
        sys.exit(fail(f"{error.filename or 'input or output'}: {error.strerror or error}"))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def fail(line):
    print(f"{os.path.basename(sys.argv[0])}: {line}", file=sys.stderr)
    return 2


def stop(number, _frame):
    sys.exit(128 + number)  # an exception: temporary files are removed on the way out


def say(text):
    print(text, flush=True)
