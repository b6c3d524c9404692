console.log("asked for 16, runs");
