using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Ork.Protocol;

namespace Ork.Coverage;

/// <summary>A place in the product that makes an error code.</summary>
/// <param name="File">The file, from the top of the repository.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Reached">True where a test ran the line.</param>
public sealed record CodePlace(string File, int Line, bool Reached);

/// <summary>One error code: where the product makes it, and which tests name it.</summary>
/// <param name="Error">The code.</param>
/// <param name="Places">Where the product makes it; a comparison makes none.</param>
/// <param name="Tests">Files of tests that name it, by its field or its text.</param>
public sealed record CodeRow(ErrorCode Error, IReadOnlyList<CodePlace> Places, IReadOnlyList<string> Tests)
{
    /// <summary>True where a test ran a line that makes the code and a test says what it expects of it.</summary>
    public bool IsProduced => Tests.Count > 0 && Places.Any(static place => place.Reached);
}

/// <summary>Which of the protocol's error codes the tests produce: a test names the code, and a line of the product that makes it was run.</summary>
public sealed partial class ErrorCodeCoverage
{
    private ErrorCodeCoverage(IReadOnlyList<CodeRow> rows) => Rows = rows;

    /// <summary>Every code, in the order of its declaration.</summary>
    public IReadOnlyList<CodeRow> Rows { get; }

    /// <summary>The codes that no test produces.</summary>
    public IReadOnlyList<string> Missing => [.. Rows.Where(static row => !row.IsProduced).Select(static row => row.Error.Code)];

    /// <summary>Reads the sources beside what was measured.</summary>
    /// <param name="root">The top of the repository.</param>
    /// <param name="assemblies">The lines that the tests reached.</param>
    public static ErrorCodeCoverage Read(string root, IReadOnlyList<AssemblyCoverage> assemblies)
    {
        ArgumentNullException.ThrowIfNull(root);
        var missed = assemblies.SelectMany(static assembly => assembly.Missed).ToDictionary(file => Path.GetFullPath(file.Key, root), static file => file.Value.ToHashSet(), StringComparer.Ordinal);
        var measured = assemblies.Select(static assembly => assembly.Assembly).ToHashSet(StringComparer.Ordinal);
        var places = new Dictionary<string, List<CodePlace>>(StringComparer.Ordinal);
        foreach (var file in SourcesUnder(root, "src").Where(static file => Path.GetFileName(file) != "ErrorCodes.cs"))
        {
            var lines = File.ReadAllLines(file);
            var name = Path.GetRelativePath(root, file);
            var isMeasured = measured.Contains(name.Split(Path.DirectorySeparatorChar)[1]);
            var unreached = missed.GetValueOrDefault(file) ?? [];
            for (var i = 0; i < lines.Length; i++)
            {
                foreach (Match made in Made().Matches(lines[i]))
                {
                    if (!places.TryGetValue(made.Groups["field"].Value, out var list)) places.Add(made.Groups["field"].Value, list = []);
                    list.Add(new CodePlace(name, i + 1, isMeasured && !unreached.Contains(i + 1)));
                }
            }
        }

        var tests = SourcesUnder(root, "tests").Select(file => (Name: Path.GetRelativePath(root, file), Text: File.ReadAllText(file))).ToArray();
        return new ErrorCodeCoverage([.. typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (field.Name, Error: field.GetValue(null) as ErrorCode))
            .Where(static field => field.Error is not null)
            .Select(field => new CodeRow(
                field.Error!, places.GetValueOrDefault(field.Name) ?? [],
                [.. tests.Where(test => Regex.IsMatch(test.Text, $@"\bErrorCodes\.{field.Name}\b|\b{field.Error!.Code}\b")).Select(static test => test.Name)]))]);
    }

    /// <summary>A page of all codes: what makes each, and which tests name it.</summary>
    public string Page()
    {
        var html = new StringBuilder();
        using var style = new StreamReader(typeof(ErrorCodeCoverage).Assembly.GetManifestResourceStream("page.css")!);
        html.Append("<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Error codes produced</title><style>").Append(style.ReadToEnd()).Append("</style></head><body>");
        html.Append(CultureInfo.InvariantCulture, $"<h1>Error codes produced</h1><p>{Rows.Count - Missing.Count} of {Rows.Count}: a test names the code, and a test ran a line that makes it. Lines in red were not run.</p>");
        html.Append("<table><thead><tr><th>code<th>made at<th>named in</tr></thead><tbody>");
        foreach (var row in Rows)
        {
            var places = row.Places.Select(static place => $"<span class='{(place.Reached ? "" : "never")}'>{WebUtility.HtmlEncode(Path.GetRelativePath("src", place.File))}:{place.Line}</span>");
            html.Append(CultureInfo.InvariantCulture, $"<tr class='{(row.IsProduced ? "" : "never")}'><td title='{WebUtility.HtmlEncode(row.Error.Sentence)}'>{row.Error.Code}<td>{string.Join("<br>", places)}<td>{string.Join("<br>", row.Tests.Select(static test => WebUtility.HtmlEncode(Path.GetRelativePath("tests", test))))}</tr>");
        }

        return html.Append("</tbody></table></body></html>").ToString();
    }

    private static IEnumerable<string> SourcesUnder(string root, string folder) => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(static file => !file.Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj")).Order(StringComparer.Ordinal);

    // What an answer is compared with is not made.
    [GeneratedRegex(@"(?<![=!]= )(?<!\b(?:Is|StartsWith)\()(?<!\bIsCode\(\w+, )\bErrorCodes\.(?<field>[A-Z]\w+)\b")]
    private static partial Regex Made();
}
