const { appendFileSync } = require("fs");
const who = process.env.INPUT_WHO;
console.log(`stage post of ${who}, seen [${process.env.STATE_seen || ""}]`);
appendFileSync(process.env.GITHUB_STATE, `seen=${process.env.STATE_seen || ""} ${who}-post\n`);
