cat > .github/workflows/called.yml <<'WORKFLOW'
on:
  workflow_call:
    inputs:
      needed: { type: string, required: true }
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [run: 'true']
WORKFLOW
