#!/bin/bash
# Submits the array of shards, and the merge that waits for all of them.
#
#   HRT=/path/to/hrt CONFIG=my.json OUT=/scratch/run SHARDS=16 docs/slurm/submit.sh [arguments of sbatch for the array]
#
# OUT/shard-I are the shards, OUT/run is the result, OUT/log holds what was said. Run from the folder that the config's
# paths are relative to. MERGE_ARGUMENTS holds arguments of sbatch for the merge (--account=me --time=10).
set -euo pipefail
: "${HRT:?the hrt to run}" "${CONFIG:?a config file}" "${OUT:?a folder}" "${SHARDS:?how many}"
if [[ ! $SHARDS =~ ^[1-9][0-9]{0,5}$ ]]; then
  echo "SHARDS: expected a number of 1 to 999999, found $SHARDS" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$OUT/log"
export HRT CONFIG OUT SHARDS

# The words of a command as a shell reads them again.
quoted() { for word in "$@"; do printf "'%s' " "${word//\'/\'\\\'\'}"; done; }

array=$(sbatch --parsable --array="0-$((SHARDS - 1))" --output="$OUT/log/%a.txt" "$@" "$here/extract_array.sh")
IFS=';' read -r job cluster <<< "$array"  # "123", or "123;cluster"
shards=()
for ((i = 0; i < SHARDS; ++i)); do shards+=("$OUT/shard-$i"); done
merge=$(sbatch --parsable --job-name=hrt-merge --dependency="afterok:$job" --kill-on-invalid-dep=yes \
  ${cluster:+"--clusters=$cluster"} ${MERGE_ARGUMENTS:-} --output="$OUT/log/merge.txt" \
  --wrap "$(quoted "$HRT" merge "${shards[@]}" --out "$OUT/run" --resume)")
echo "array $job, merge ${merge%%;*}; the result will be in $OUT/run"
