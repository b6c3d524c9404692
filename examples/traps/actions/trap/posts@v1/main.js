const fs = require("fs");
const who = process.env.INPUT_WHO;
console.log(`main of ${who}, state [${process.env.STATE_kept || ""}]`);
fs.appendFileSync(process.env.GITHUB_STATE, `kept=${who}\n`);
if (process.env.INPUT_FAIL === "true") process.exit(1);
