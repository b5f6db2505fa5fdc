namespace Ork.Defects;

/// <summary>A unified diff of source files. Where a hunk applies is found by its lines, not by their numbers: code above may grow.</summary>
/// <param name="Files">The hunks of each file, by the file's path in the repository.</param>
public sealed record SourcePatch(IReadOnlyDictionary<string, IReadOnlyList<SourcePatch.Hunk>> Files)
{
    /// <summary>Lines and what they become.</summary>
    /// <param name="Old">The lines as they stand, context included.</param>
    /// <param name="New">The lines as they shall stand.</param>
    public sealed record Hunk(IReadOnlyList<string> Old, IReadOnlyList<string> New);

    /// <summary>Reads a diff.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="text">Its text.</param>
    /// <exception cref="DefectException">It is none.</exception>
    public static SourcePatch Read(string path, string text)
    {
        var files = new Dictionary<string, IReadOnlyList<Hunk>>(StringComparer.Ordinal);
        List<Hunk>? hunks = null;
        List<string> old = [], made = [];
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("--- ", StringComparison.Ordinal)) continue;
            if (line.StartsWith("+++ b/", StringComparison.Ordinal)) files.Add(line["+++ b/".Length..].TrimEnd(), hunks = []);
            else if (line.StartsWith("@@", StringComparison.Ordinal)) (hunks ?? throw new DefectException($"{path}: a hunk without a file.")).Add(new Hunk(old = [], made = []));
            else if (hunks is { Count: > 0 } && line.Length > 0) Take(line, old, made);
        }

        return files.Values.Any(static file => file.Count > 0) ? new SourcePatch(files) : throw new DefectException($"{path}: it changes nothing.");
    }

    /// <summary>Applies it.</summary>
    /// <param name="root">The repository.</param>
    /// <returns>The new text of each file, by its full path.</returns>
    /// <exception cref="DefectException">It no longer applies, and why.</exception>
    public IReadOnlyDictionary<string, string> Apply(string root)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (file, hunks) in Files)
        {
            var path = Path.Combine(root, file);
            if (!File.Exists(path)) throw new DefectException($"{file} does not exist any more.");
            var lines = File.ReadAllText(path).Split('\n').ToList();
            foreach (var hunk in hunks) Replace(lines, hunk, file);
            texts.Add(path, string.Join('\n', lines));
        }

        return texts;
    }

    private static void Take(string line, List<string> old, List<string> made)
    {
        if (line[0] is ' ' or '-') old.Add(line[1..]);
        if (line[0] is ' ' or '+') made.Add(line[1..]);
    }

    private static void Replace(List<string> lines, Hunk hunk, string file)
    {
        var places = Enumerable.Range(0, Math.Max(0, lines.Count - hunk.Old.Count + 1)).Where(at => lines.Skip(at).Take(hunk.Old.Count).SequenceEqual(hunk.Old, StringComparer.Ordinal)).ToArray();
        if (places is not [var place]) throw new DefectException(places.Length == 0 ? $"{file} does not have the lines any more that it changes:\n  {string.Join("\n  ", hunk.Old)}" : $"{file} has the lines that it changes {places.Length} times.");
        lines.RemoveRange(place, hunk.Old.Count);
        lines.InsertRange(place, hunk.New);
    }
}
