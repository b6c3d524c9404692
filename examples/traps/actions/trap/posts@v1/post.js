console.log(`post of ${process.env.INPUT_WHO}, state [${process.env.STATE_kept || ""}], later [${process.env.LATER || ""}]`);
