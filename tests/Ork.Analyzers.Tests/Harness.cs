using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Tests;

/// <summary>Compiles snippets as a user's compiler would, and says what the rules find in them.</summary>
internal static class Harness
{
    /// <summary>Ork.Kernel shows its internals to an assembly of this name, so that snippets may be modules.</summary>
    private const string AssemblyName = "Ork.Kernel.Tests";

    private const string Usings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks;
        """;

    /// <summary>The framework and every product assembly, from what this process runs on.</summary>
    internal static ImmutableArray<MetadataReference> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal))
            .Where(path => !Path.GetFileName(path).StartsWith("Ork.Analyzers", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Every analyzer there is.</summary>
    internal static ImmutableArray<DiagnosticAnalyzer> Analyzers { get; } =
    [
        .. typeof(ApiAnalyzer).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
            .OrderBy(type => type.FullName, StringComparer.Ordinal)
            .Select(type => (DiagnosticAnalyzer)Activator.CreateInstance(type)!),
    ];

    internal static CSharpParseOptions ParseOptions { get; } = new(LanguageVersion.Latest);

    internal static CSharpCompilation Compile(IEnumerable<(string Path, string Text)> files, string role, OutputKind kind = OutputKind.DynamicallyLinkedLibrary, string name = AssemblyName)
    {
        var stated = role == "None" ? "" : $"[assembly: Ork.OrkRole(Ork.OrkRole.{role})]";
        return CSharpCompilation.Create(
            name,
            files.Append(("Usings.cs", Usings)).Append(("AssemblyInfo.cs", stated)).Select(file => CSharpSyntaxTree.ParseText(file.Item2, ParseOptions, file.Item1)),
            References,
            new CSharpCompilationOptions(kind, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true,
                specificDiagnosticOptions: [new("CS4014", ReportDiagnostic.Suppress), new("CS1998", ReportDiagnostic.Suppress)]));
    }

    internal static async Task<ImmutableArray<Diagnostic>> FindAsync(Compilation compilation, ImmutableArray<DiagnosticAnalyzer>? analyzers = null)
    {
        var crashes = new List<string>();
        var options = new CompilationWithAnalyzersOptions(
            new AnalyzerOptions([]), (e, analyzer, _) => { lock (crashes) crashes.Add($"{analyzer.GetType().Name}: {e}"); }, concurrentAnalysis: true, logAnalyzerExecutionTime: false);
        var found = await compilation.WithAnalyzers(analyzers ?? Analyzers, options).GetAnalyzerDiagnosticsAsync();
        Assert.Empty(crashes);
        return found;
    }
}

/// <summary>One snippet of a file of cases: what it is called, what it must or must not make the rule say, and its code.</summary>
/// <param name="Rule">The rule it is about.</param>
/// <param name="Name">What it shows.</param>
/// <param name="Reports">How often the rule must report; 0 for a look-alike.</param>
/// <param name="Role">The role of its assembly.</param>
/// <param name="Files">Its files.</param>
public sealed record Case(string Rule, string Name, int Reports, string Role, ImmutableArray<(string Path, string Text)> Files)
{
    private static readonly Regex Header = new(@"^//# (reports|silent)(?: (?!x\d)(\w+))?(?: x(\d+))?: (.+)$", RegexOptions.Multiline | RegexOptions.CultureInvariant);
    private static readonly Regex FileHeader = new(@"^//## (.+)$", RegexOptions.Multiline | RegexOptions.CultureInvariant);

    /// <summary>Reads <c>Cases/ORKnnnn.cs</c>: what stands above the first case stands above each of them.</summary>
    public static IEnumerable<Case> Read(string path)
    {
        var rule = Path.GetFileNameWithoutExtension(path);
        var text = File.ReadAllText(path);
        var headers = Header.Matches(text);
        var defaultRole = Regex.Match(text, @"^// role: (\w+)", RegexOptions.CultureInvariant).Groups[1].Value;
        var shared = text[..headers[0].Index];
        for (var i = 0; i < headers.Count; i++)
        {
            var header = headers[i];
            var end = i + 1 < headers.Count ? headers[i + 1].Index : text.Length;
            var body = text[(header.Index + header.Length)..end];
            var reports = header.Groups[1].Value == "silent" ? 0 : header.Groups[3].Success ? int.Parse(header.Groups[3].Value, System.Globalization.CultureInfo.InvariantCulture) : 1;
            var role = header.Groups[2].Success && header.Groups[2].Value.Length > 0 ? header.Groups[2].Value : defaultRole;
            yield return new Case(rule, header.Groups[4].Value.Trim(), reports, role, Split(shared, body));
        }
    }

    private static ImmutableArray<(string Path, string Text)> Split(string shared, string body)
    {
        // A case's own usings stand above what all cases share.
        var own = Regex.Match(body, @"\A\s*((?:using [^(\n]*;\n)*)", RegexOptions.CultureInvariant);
        shared = own.Groups[1].Value + shared;
        body = body[own.Length..];
        var files = FileHeader.Matches(body);
        if (files.Count == 0) return [("Case.cs", shared + body)];
        return
        [
            .. files.Select((file, i) => (file.Groups[1].Value.Trim(),
                (i == 0 ? shared + body[..files[0].Index] : "") + body[(file.Index + file.Length)..(i + 1 < files.Count ? files[i + 1].Index : body.Length)])),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Rule} {(Reports == 0 ? "is silent on" : "reports")} {Name}";
}
