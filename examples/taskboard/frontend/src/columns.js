// The board's columns, and which tasks stand in each.

export const STATES = [
  { state: "open", title: "To do" },
  { state: "doing", title: "Doing" },
  { state: "done", title: "Done" },
];

export function columns(tasks) {
  return STATES.map((column) => ({ ...column, tasks: tasks.filter((task) => task.state === column.state).sort(byDue) }));
}

// What is due first comes first, what is never due last.
function byDue(one, other) {
  return (one.due ?? "9999").localeCompare(other.due ?? "9999") || one.id - other.id;
}

export function next(state) {
  const place = STATES.findIndex((column) => column.state === state);
  return STATES[place + 1]?.state ?? null;
}
