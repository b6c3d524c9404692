/** A greeting for a name in one of a few languages. */
const GREETINGS = { en: "Hello", de: "Guten Tag", fr: "Bonjour" };

export const languages = Object.keys(GREETINGS);

export function greet(name, language = "en") {
  const greeting = GREETINGS[language];
  if (!greeting) {
    throw new RangeError(`no greeting in "${language}"; there are ${languages.join(", ")}`);
  }
  return `${greeting}, ${name.trim() || "stranger"}!`;
}

/** Text as it may stand in HTML. */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
