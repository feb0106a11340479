# shellcheck shell=bash
# What the shell tools share; sourced.

say() { echo "${0##*/}: $*"; }

# Bad input, or a step that cannot be done here: one line, exit code 2.
die() {
  echo "${0##*/}: $*" >&2
  exit 2
}

cache_dir() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/hrt"; }
