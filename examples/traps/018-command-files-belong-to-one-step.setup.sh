mkdir -p .github/actions/two
cat > .github/actions/two/action.yml <<'ACTION'
name: Two
description: Two steps that must not see each other's files.
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        echo "inner=1" >> "$GITHUB_OUTPUT"
        echo "INNER_OUTPUT=$GITHUB_OUTPUT" >> "$GITHUB_ENV"
    - shell: bash
      run: '[ ! -s "$GITHUB_OUTPUT" ] && [ "$GITHUB_OUTPUT" != "$INNER_OUTPUT" ]'
ACTION
