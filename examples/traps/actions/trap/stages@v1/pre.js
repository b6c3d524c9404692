const { appendFileSync } = require("fs");
const who = process.env.INPUT_WHO;
console.log(`stage pre of ${who}, seen [${process.env.STATE_seen || ""}]`);
appendFileSync(process.env.GITHUB_STATE, `seen=${process.env.STATE_seen || ""} ${who}-pre\n`);
