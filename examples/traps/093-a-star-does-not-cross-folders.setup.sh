git add -A && git commit -q -m base
mkdir src && echo 1 > src/a.js
