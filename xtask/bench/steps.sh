#!/bin/bash
# steps.sh COUNT: what a runner does for COUNT steps and nothing else: write the script into memory, start bash on it, wait.
folder=$(mktemp -d -p /dev/shm)
for ((step = 0; step < $1; step++)); do
  echo true > "$folder/$step.sh"
  bash -e "$folder/$step.sh" || exit 1
done
rm -rf "$folder"
