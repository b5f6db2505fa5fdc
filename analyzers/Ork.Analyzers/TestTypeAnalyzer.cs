using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Ork.Analyzers;

/// <summary>ORK0401: names of types that come from the simulation, a test framework or a test assembly, in code that runs in production.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class TestTypeAnalyzer : DiagnosticAnalyzer
{
    private static readonly string[] Frameworks =
    [
        "OrkSim", "xunit", "nunit", "MSTest", "Microsoft.VisualStudio.TestPlatform", "Microsoft.VisualStudio.TestTools", "Microsoft.VisualStudio.QualityTools",
            "Microsoft.Testing",
        "FsCheck", "Moq", "NSubstitute", "FakeItEasy", "FluentAssertions", "AwesomeAssertions", "Shouldly", "Microsoft.Coyote",
            "Microsoft.Extensions.TimeProvider.Testing",
        "Microsoft.Extensions.Diagnostics.Testing", "BenchmarkDotNet", "Bogus", "AutoFixture", "Verify", "TUnit", "Microsoft.Playwright",
    ];

    private static readonly string[] Endings = [".Tests", ".Test", ".UnitTests", ".IntegrationTests", ".Testing", ".TestHelpers", ".Benchmarks", ".Fakes", ".Simulation"];

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.TestType);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if ((roles.Of(start.Compilation.Assembly) & Rules.TestType.Roles) == 0
                && !HasOwn(start.Compilation.Assembly.GlobalNamespace, roles, Rules.TestType.Roles)) return;
            var foreign = new HashSet<IAssemblySymbol>(
                start.Compilation.SourceModule.ReferencedAssemblySymbols.Where(assembly => IsForTests(assembly, roles)), SymbolEqualityComparer.Default);
            if (foreign.Count == 0 && !HasOwn(start.Compilation.Assembly.GlobalNamespace, roles, Roles.Simulation)) return;
            start.RegisterSyntaxNodeAction(at => Name(at, roles, foreign), SyntaxKind.IdentifierName, SyntaxKind.GenericName);
        });
    }

    private static void Name(SyntaxNodeAnalysisContext context, RoleReader roles, HashSet<IAssemblySymbol> foreign)
    {
        if (context.Node.Parent is AttributeSyntax or QualifiedNameSyntax { Parent: AttributeSyntax } && context.ContainingSymbol is IAssemblySymbol) return;
        if (InDocs(context.Node) || InNamespaceImport(context.Node)) return;
        var symbol = context.SemanticModel.GetSymbolInfo(context.Node, context.CancellationToken).Symbol;
        if (symbol is IAliasSymbol alias) symbol = alias.Target;
        var type = symbol switch
        {
            INamedTypeSymbol named => named,
            IMethodSymbol { MethodKind: MethodKind.Constructor } constructor => constructor.ContainingType,
            IMethodSymbol { MethodKind: MethodKind.ReducedExtension } extension => extension.ContainingType,
            IMethodSymbol { IsStatic: true } or IFieldSymbol { IsStatic: true } or IPropertySymbol { IsStatic: true } when IsBare(context.Node) => symbol.ContainingType,
            _ => null,
        };
        if (type is null) return;
        var isForeign = type.ContainingAssembly is { } assembly && foreign.Contains(assembly);
        if (!isForeign && roles.Of(type) != Roles.Simulation) return;
        if (SymbolEqualityComparer.Default.Equals(context.ContainingSymbol, type)) return;
        var role = roles.Of(context.ContainingSymbol ?? context.Compilation.Assembly);
        if ((Rules.TestType.Roles & role) == 0) return;
        context.ReportDiagnostic(Diagnostic.Create(Rules.TestType.Descriptor, context.Node.GetLocation(), type.Name, isForeign
            ? type.ContainingAssembly!.Name : "role Simulation"));
    }

    /// <summary>A member that <c>using static</c> brings in names its type by itself.</summary>
    private static bool IsBare(SyntaxNode node) => node.Parent is not MemberAccessExpressionSyntax access || access.Expression == node;

    private static bool InDocs(SyntaxNode node) => node.IsPartOfStructuredTrivia();

    private static bool InNamespaceImport(SyntaxNode node) => node.FirstAncestorOrSelf<UsingDirectiveSyntax>() is { Alias: null } import
        && import.StaticKeyword.RawKind == 0;

    /// <summary>True where a type states one of these roles for itself.</summary>
    private static bool HasOwn(INamespaceSymbol space, RoleReader roles, Roles stated) => space.GetMembers().Any(member => member switch
    {
        INamespaceSymbol inner => HasOwn(inner, roles, stated),
        INamedTypeSymbol type => type.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "OrkRoleAttribute") && (roles.Of(type) & stated) != 0,
        _ => false,
    });

    private static bool IsForTests(IAssemblySymbol assembly, RoleReader roles) => roles.Of(assembly) == Roles.Simulation
        || Frameworks.Any(name => assembly.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
            || assembly.Name.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase))
        || Endings.Any(ending => assembly.Name.EndsWith(ending, StringComparison.Ordinal));
}
