import ast, builtins, json, sys, warnings


def remark(level, message, node):
    line, column = node.lineno or 1, (node.offset if isinstance(node, SyntaxError) else node.col_offset + 1) or 1
    end_line = getattr(node, "end_lineno", None) or line
    end = getattr(node, "end_offset", None) if isinstance(node, SyntaxError) else (getattr(node, "end_col_offset", None) or 0) + 1
    if end_line < line or end_line == line and (end or 0) <= column:
        end_line, end = line, column + 1
    return {"level": level, "message": message, "line": line, "column": max(column, 1), "endLine": end_line, "endColumn": end}


def names(tree):
    """Names that are used and bound nowhere, and imports that nothing uses; scopes count as one, which errs towards silence."""
    bound, used, imported, is_open = set(dir(builtins)) | {"__file__", "__name__", "__doc__"}, {}, {}, False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                used.setdefault(node.id, node)
            else:
                bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            bound.update(node.names)
        elif isinstance(node, ast.alias):
            is_open = is_open or node.name == "*"
            name = node.asname or node.name.split(".")[0]
            bound.add(name)
            imported.setdefault(name, node)
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            used.update((alias.name, node) for alias in node.names)
        elif getattr(node, "name", None) and isinstance(node.name, str):
            bound.add(node.name)
        elif getattr(node, "rest", None):
            bound.add(node.rest)
    if is_open or {"exec", "globals", "locals", "eval"} & set(used):
        return []
    missing = [remark("error", f"`{name}` is not defined", node) for name, node in used.items() if name not in bound]
    idle = [
        remark("info", f"`{name}` is imported and not used", node)
        for name, node in imported.items()
        if name not in used and hasattr(node, "lineno")
    ]
    return missing + idle


def check(text):
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        try:
            tree = ast.parse(text, "script")
            compile(tree, "script", "exec", dont_inherit=True)
        except SyntaxError as error:
            return [remark("error", error.msg or "invalid syntax", error)]
        except (ValueError, RecursionError, MemoryError):
            return []
    found = [
        {"level": "warning", "message": str(note.message), "line": note.lineno, "column": 1, "endLine": note.lineno, "endColumn": 1000}
        for note in noted
        if issubclass(note.category, SyntaxWarning)
    ]
    return found + [one for one in names(tree) if not set(one["message"].split("`")[1]) <= {"_"}]


json.dump([check(text) for text in json.load(sys.stdin)], sys.stdout)
