import { useState } from "react";

export function NewTask({ onAdd }) {
  const [title, setTitle] = useState("");

  async function submit(event) {
    event.preventDefault();
    if (!title.trim()) return;
    await onAdd(title.trim());
    setTitle("");
  }

  return (
    <form onSubmit={submit}>
      <label>
        New task <input value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} />
      </label>
      <button type="submit">Add</button>
    </form>
  );
}
