import { useEffect, useState } from "react";
import { tasks as api } from "./api.js";
import { Board } from "./Board.jsx";
import { NewTask } from "./NewTask.jsx";

export function App() {
  const [tasks, setTasks] = useState(null);
  const [problem, setProblem] = useState(null);

  // Does something at the server, then shows what it has.
  async function after(deed) {
    try {
      await deed();
      setTasks(await api.list());
      setProblem(null);
    } catch (error) {
      setProblem(error.message);
    }
  }

  useEffect(() => {
    after(() => {});
  }, []);

  return (
    <main>
      <h1>Taskboard</h1>
      {problem && <p role="alert">{problem}</p>}
      <NewTask onAdd={(title) => after(() => api.add(title))} />
      {tasks === null ? (
        <p>Loading…</p>
      ) : (
        <Board
          tasks={tasks}
          onMove={(id, state) => after(() => api.move(id, state))}
          onRemove={(id) => after(() => api.remove(id))}
        />
      )}
    </main>
  );
}
