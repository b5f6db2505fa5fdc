using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Ork.Defects;

/// <summary>
/// The source that defects are planted in, and its compiler. A patched project is compiled as the build does, but without the analyzers: some defects are ones that
/// those forbid, and the tests of the analyzers plant defects of their own.
/// </summary>
public sealed class SourceTree
{
    /// <summary>How a failure begins that only says that the changed source is none.</summary>
    internal const string NotCompiled = "It does not compile";

    private const string Usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";
    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Latest);

    private readonly ConcurrentDictionary<string, Lazy<CSharpCompilation>> _projects = new(StringComparer.Ordinal);
    private readonly Lazy<MetadataReference[]> _references = new(References);

    /// <summary>The repository: the folder with the solution, from the program's folder upwards.</summary>
    /// <exception cref="DefectException">There is none.</exception>
    public SourceTree()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) continue;
            Root = at.FullName;
            return;
        }

        throw new DefectException($"There is no OrkSim.sln in {AppContext.BaseDirectory} or above it.");
    }

    /// <summary>The repository.</summary>
    public string Root { get; }

    /// <summary>Compiles what a patch changes.</summary>
    /// <returns>The assemblies, by file name.</returns>
    /// <exception cref="DefectException">The patch does not apply, or the patched source does not compile.</exception>
    public IReadOnlyDictionary<string, byte[]> Compile(SourcePatch patch)
    {
        ArgumentNullException.ThrowIfNull(patch);
        var assemblies = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var project in patch.Apply(Root).GroupBy(file => ProjectOf(file.Key), StringComparer.Ordinal))
        {
            var compilation = _projects.GetOrAdd(project.Key, key => new Lazy<CSharpCompilation>(() => Open(key))).Value;
            foreach (var (path, text) in project)
            {
                var tree = compilation.SyntaxTrees.First(tree => tree.FilePath == path);
                compilation = compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(text, Parse, path, Encoding.UTF8));
            }

            assemblies.Add(Path.GetFileName(project.Key) + ".dll", Emit(compilation));
        }

        return assemblies;
    }

    private static byte[] Emit(CSharpCompilation compilation)
    {
        using var stream = new MemoryStream();
        var made = compilation.Emit(stream, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.Embedded));
        if (made.Success) return stream.ToArray();
        throw new DefectException(NotCompiled + ":\n  " + string.Join("\n  ", made.Diagnostics.Where(static found => found.Severity == DiagnosticSeverity.Error).Take(3)));
    }

    private static string ProjectOf(string path)
    {
        for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.EnumerateFiles(folder, "*.csproj").Any()) return folder;
        }

        throw new DefectException($"{path} is of no project.");
    }

    private CSharpCompilation Open(string project)
    {
        var name = Path.GetFileName(project);
        var version = AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(name)).GetName().Version;
        var files = Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(project, path).Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj"))
            .Concat(Linked(project)).Order(StringComparer.Ordinal).Select(static path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), Parse, path, Encoding.UTF8));
        return CSharpCompilation.Create(
            name,
            files.Append(CSharpSyntaxTree.ParseText($"{Usings}\n[assembly: System.Reflection.AssemblyVersion(\"{version}\")]", Parse, "Build.cs", Encoding.UTF8)),
            _references.Value.Where(reference => Path.GetFileNameWithoutExtension(reference.Display) != name),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true, deterministic: true));
    }

    /// <summary>The files of other projects that a project compiles as its own.</summary>
    private static IEnumerable<string> Linked(string project) => XDocument.Load(Directory.EnumerateFiles(project, "*.csproj").First()).Descendants("Compile")
        .Select(static item => item.Attribute("Include")?.Value).OfType<string>().Select(path => Path.GetFullPath(Path.Combine(project, path.Replace('\\', Path.DirectorySeparatorChar))));

    private static MetadataReference[] References() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(File.Exists).Select(static path => MetadataReference.CreateFromFile(path))];
}
