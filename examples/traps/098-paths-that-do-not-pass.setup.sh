git add -A && git commit -q -m base
echo 1 > README.md
