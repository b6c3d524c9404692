console.log("asked for 12, runs");
