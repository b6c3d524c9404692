import { columns, next } from "./columns.js";

export function Board({ tasks, onMove, onRemove }) {
  return (
    <div className="board">
      {columns(tasks).map((column) => (
        <section key={column.state} aria-label={column.title}>
          <h2>
            {column.title} <span className="count">{column.tasks.length}</span>
          </h2>
          <ul>
            {column.tasks.map((task) => (
              <Card key={task.id} task={task} onMove={onMove} onRemove={onRemove} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Card({ task, onMove, onRemove }) {
  const following = next(task.state);
  return (
    <li>
      <strong>{task.title}</strong>
      {task.due && <time dateTime={task.due}>due {task.due}</time>}
      <span className="actions">
        {following && (
          <button type="button" onClick={() => onMove(task.id, following)} aria-label={`Move ${task.title} on`}>
            →
          </button>
        )}
        <button type="button" onClick={() => onRemove(task.id)} aria-label={`Remove ${task.title}`}>
          ×
        </button>
      </span>
    </li>
  );
}
