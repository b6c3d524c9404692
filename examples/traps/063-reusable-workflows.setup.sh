cat > .github/workflows/called.yml <<'WORKFLOW'
name: called
on:
  workflow_call:
    inputs:
      text: { type: string, required: true }
      number: { type: number }
      flag: { type: boolean }
      other: { type: string, default: default }
    secrets:
      TOKEN: { required: false }
    outputs:
      got: { value: "${{ jobs.middle.outputs.got }}" }
      had-secret: { value: "${{ jobs.middle.outputs.had-secret }}" }
jobs:
  middle:
    uses: ./.github/workflows/inner.yml
    with:
      got: ${{ inputs.text }} string ${{ inputs.number }} ${{ inputs.flag == true }} ${{ inputs.other }}
    secrets: inherit
WORKFLOW
cat > .github/workflows/inner.yml <<'WORKFLOW'
name: inner
on:
  workflow_call:
    inputs:
      got: { type: string }
    outputs:
      got: { value: "${{ jobs.inner.outputs.got }}" }
      had-secret: { value: "${{ jobs.inner.outputs.had-secret }}" }
jobs:
  inner:
    runs-on: ubuntu-latest
    outputs:
      got: ${{ inputs.got }} nested
      had-secret: ${{ steps.look.outputs.had-secret }}
    steps:
      - id: look
        env: { TOKEN: "${{ secrets.TOKEN }}" }
        run: |
          echo "had-secret=$([ "$TOKEN" = "$(printf 'hidden-%s' 63)" ] && echo true)" >> "$GITHUB_OUTPUT"
          [ -z "${OUTER+set}" ] && [ "${{ env.OUTER }}" = "" ]
          # The github context is the caller's; the job tells which file it is from.
          [ "$GITHUB_WORKFLOW" = reusable ] && [ "$GITHUB_EVENT_NAME" = push ]
          [ "${{ job.workflow_file_path }}" = .github/workflows/inner.yml ]
          [ "${{ vars.LEVEL }}" = top ]
WORKFLOW
