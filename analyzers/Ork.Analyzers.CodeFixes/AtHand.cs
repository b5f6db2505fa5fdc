using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.CodeFixes;

/// <summary>Finds a port that code can already reach: a local, a parameter, a field or a property, or a member of one.</summary>
internal static class AtHand
{
    internal const string TimeProvider = "System.TimeProvider";
    internal const string Entropy = "Ork.Protocol.IEntropy";

    /// <summary>An expression of the type that is in scope at a place, the nearest first; null where there is none.</summary>
    internal static string? Find(SemanticModel model, int position, string type)
    {
        if (model.Compilation.GetTypeByMetadataName(type) is not { } wanted) return null;
        var container = model.GetEnclosingSymbol(position);
        var isStatic = container is { IsStatic: true };
        var symbols = model.LookupSymbols(position).Where(symbol => IsUsable(symbol, position, isStatic))
            .OrderBy(Rank).ThenBy(symbol => symbol.Name, StringComparer.Ordinal).ToArray();
        foreach (var symbol in symbols)
        {
            if (IsOf(symbol, wanted)) return symbol.Name;
        }

        foreach (var symbol in symbols)
        {
            var member = TypeOf(symbol)?.GetMembers().FirstOrDefault(inner => inner is IPropertySymbol { IsStatic: false }
                && inner.DeclaredAccessibility == Accessibility.Public && IsOf(inner, wanted));
            if (member is not null && SymbolEqualityComparer.Default.Equals(TypeOf(symbol)?.ContainingAssembly,
                model.Compilation.Assembly) | TypeOf(symbol)?.Name.EndsWith("Ports", StringComparison.Ordinal) == true)
                return $"{symbol.Name}.{member.Name}";
        }

        return null;
    }

    private static bool IsUsable(ISymbol symbol, int position, bool isStatic) => symbol switch
    {
        ILocalSymbol local => local.Locations.Any(location => location.SourceSpan.End < position),
        IParameterSymbol => true,
        IFieldSymbol { IsImplicitlyDeclared: false } field => field.IsStatic || !isStatic,
        IPropertySymbol { IsIndexer: false, IsStatic: false } => !isStatic,
        _ => false,
    };

    private static int Rank(ISymbol symbol) => symbol switch
    {
        ILocalSymbol => 0,
        IFieldSymbol => 1,
        IPropertySymbol => 2,
        _ => 3,
    };

    private static ITypeSymbol? TypeOf(ISymbol symbol) => symbol switch
    {
        ILocalSymbol local => local.Type,
        IParameterSymbol parameter => parameter.Type,
        IFieldSymbol field => field.Type,
        IPropertySymbol property => property.Type,
        _ => null,
    };

    private static bool IsOf(ISymbol symbol, INamedTypeSymbol wanted)
    {
        for (var type = TypeOf(symbol); type is not null; type = type.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(type, wanted)) return true;
        }

        return TypeOf(symbol)?.AllInterfaces.Contains(wanted, SymbolEqualityComparer.Default) == true;
    }
}
