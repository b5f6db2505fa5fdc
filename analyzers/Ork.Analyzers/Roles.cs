using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers;

/// <summary>Roles that a rule applies to. What an assembly, or a type in it, says with <c>[OrkRole]</c>.</summary>
[Flags]
internal enum Roles
{
    None = 0,
    Kernel = 1,
    Worker = 2,
    Caller = 4,
    Simulation = 8,
    Edge = 16,

    /// <summary>No role is stated.</summary>
    Unstated = 32,

    Deterministic = Kernel | Worker | Simulation,
    OnTheLoop = Kernel | Worker | Caller | Simulation,
    Production = Kernel | Worker | Caller,
    All = Kernel | Worker | Caller | Simulation | Edge | Unstated,
}

/// <summary>Reads roles. One for each compilation: nothing outlives it.</summary>
internal sealed class RoleReader
{
    private const string AttributeName = "OrkRoleAttribute";

    private readonly ConcurrentDictionary<ISymbol, Roles> _known = new(SymbolEqualityComparer.Default);

    /// <summary>The role of code in a symbol: that of the innermost type that states one, else its assembly's.</summary>
    internal Roles Of(ISymbol? symbol)
    {
        for (var at = symbol; at is not null; at = at.ContainingType)
        {
            if (at is INamedTypeSymbol type && Stated(type) is var role and not Roles.Unstated) return role;
        }

        return symbol switch
        {
            null => Roles.Unstated,
            IAssemblySymbol assembly => Stated(assembly),
            { ContainingAssembly: { } assembly } => Stated(assembly),
            _ => Roles.Unstated,
        };
    }

    /// <summary>True where a compilation has code that keeps one of these rules: by its assembly's role, or by that of a type.</summary>
    internal bool Concern(Compilation compilation, params Rule[] rules)
    {
        var concerned = Roles.None;
        foreach (var rule in rules) concerned |= rule.Roles;
        return (Stated(compilation.Assembly) & concerned) != 0 || AnyOf(compilation.Assembly.GlobalNamespace, concerned);
    }

    private bool AnyOf(INamespaceOrTypeSymbol space, Roles concerned)
    {
        foreach (var member in space.GetMembers())
        {
            if (member is INamedTypeSymbol type && (Stated(type) & concerned & ~Roles.Unstated) != 0) return true;
            if (member is INamespaceOrTypeSymbol inner && AnyOf(inner, concerned)) return true;
        }

        return false;
    }

    private Roles Stated(ISymbol symbol) => _known.GetOrAdd(symbol.OriginalDefinition, static of =>
    {
        foreach (var attribute in of.GetAttributes())
        {
            if (attribute.AttributeClass is { Name: AttributeName, ContainingNamespace: { Name: "Ork", ContainingNamespace.IsGlobalNamespace: true } }
                && attribute.ConstructorArguments is [{ Value: int value }] && value is >= 0 and <= 4)
            {
                return (Roles)(1 << value);
            }
        }

        return Roles.Unstated;
    });
}
