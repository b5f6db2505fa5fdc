using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Effects;

/// <summary>What a member may do past the ports. The numbers are those of <c>Ork.OrkEffects</c>.</summary>
[Flags]
internal enum Effect
{
    None = 0,
    Clock = 1,
    Network = 2,
    Disk = 4,
    DialsKernel = 8,
    Chance = 16,
}

/// <summary>What assemblies say of their members, and code of itself. One for each compilation.</summary>
internal sealed class EffectReader
{
    private readonly ConcurrentDictionary<IAssemblySymbol, Dictionary<string, Effect>> _facts = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<ISymbol, Effect> _ofMember = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<ISymbol, Effect> _allowed = new(SymbolEqualityComparer.Default);

    /// <summary>What a member of another assembly may do, as that assembly says.</summary>
    internal Effect Of(ISymbol member)
    {
        if (member.ContainingAssembly is not { } assembly) return Effect.None;
        var facts = _facts.GetOrAdd(assembly, static of => Read(of));
        if (facts.Count == 0) return Effect.None;
        return _ofMember.GetOrAdd(CallGraph.MemberOf(member), of => of.GetDocumentationCommentId() is { } id
            && facts.TryGetValue(id, out var effect) ? effect : Effect.None);
    }

    /// <summary>The simple names of an assembly's members that may do one of these.</summary>
    internal IEnumerable<string> NamesOf(IAssemblySymbol assembly, Effect concern) =>
        _facts.GetOrAdd(assembly, static of => Read(of)).Where(fact => (fact.Value & concern) != 0).Select(fact =>
    {
        var id = fact.Key;
        var name = id.Split('(')[0];
        name = name.EndsWith(".#ctor", StringComparison.Ordinal) ? name.Substring(0, name.Length - 6) : name;
        return name.Substring(name.LastIndexOf('.') + 1).Split('`')[0];
    });

    /// <summary>What code inside a member may do by design: what stands on it, or on a type around it.</summary>
    internal Effect AllowedIn(ISymbol? symbol)
    {
        var allowed = Effect.None;
        for (var at = symbol; at is not null and not INamespaceSymbol; at = at.ContainingSymbol)
        {
            allowed |= Allowed(at);
            if (at is IMethodSymbol { AssociatedSymbol: { } property }) allowed |= Allowed(property);
        }

        return allowed;
    }

    private static Dictionary<string, Effect> Read(IAssemblySymbol assembly)
    {
        var facts = new Dictionary<string, Effect>(StringComparer.Ordinal);
        foreach (var attribute in assembly.GetAttributes())
        {
            if (attribute is { AttributeClass: { Name: "OrkEffectAttribute", ContainingNamespace.Name: "Ork" },
                ConstructorArguments: [{ Value: string member }, { Value: int effects }] })
                facts[member] = (facts.TryGetValue(member, out var known) ? known : Effect.None) | (Effect)effects;
        }

        return facts;
    }

    private Effect Allowed(ISymbol symbol) => _allowed.GetOrAdd(symbol.OriginalDefinition, static of =>
    {
        var allowed = Effect.None;
        foreach (var attribute in of.GetAttributes())
        {
            if (attribute is { AttributeClass: { Name: "OrkAllowAttribute", ContainingNamespace.Name: "Ork" },
                ConstructorArguments: [{ Value: int effects }, ..] }) allowed |= (Effect)effects;
        }

        return allowed;
    });
}
