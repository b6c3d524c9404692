mkdir -p .github/actions/stages
cp "$ACTIONS"/trap/stages@v1/* .github/actions/stages
