using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Effects;

/// <summary>What a single operation does by itself: the table of forbidden APIs, and what starts an exchange with a kernel.</summary>
internal static class DirectEffects
{
    private static readonly ILookup<string, ForbiddenApi> Table = ForbiddenApis.Table
        .Where(api => api.Rule == Rules.WallClock || api.Rule == Rules.Randomness || api.Rule == Rules.DirectIO).ToLookup(api => api.Type);

    internal static Effect Of(IOperation operation)
    {
        var member = MemberOf(operation);
        if (member?.ContainingType is not { } type) return Effect.None;
        if (Exchanges.Starts(operation, member)) return Effect.DialsKernel;
        var of = type.OriginalDefinition;
        var space = of.ContainingNamespace?.ToDisplayString() ?? "";
        if (!space.StartsWith("System", StringComparison.Ordinal) && !space.StartsWith("Microsoft", StringComparison.Ordinal)) return Effect.None;
        var name = member is IMethodSymbol { MethodKind: MethodKind.Constructor } ? ".ctor" : member.Name;
        var use = new ApiUse(operation, member);
        foreach (var entry in Table[$"{space}.{of.MetadataName}"].Concat(of.TypeKind is TypeKind.Enum or TypeKind.Delegate ? [] : Table[$"{space}.*"]))
        {
            if (entry.Names(name) && entry.When?.Invoke(use) != false) return EffectOf(entry, space);
        }

        return Effect.None;
    }

    internal static ISymbol? MemberOf(IOperation operation) => operation switch
    {
        IInvocationOperation invocation => invocation.TargetMethod,
        IPropertyReferenceOperation property => property.Property,
        IObjectCreationOperation creation => creation.Constructor,
        IMethodReferenceOperation reference => reference.Method,
        _ => null,
    };

    private static Effect EffectOf(ForbiddenApi entry, string space) =>
        entry.Rule == Rules.WallClock ? Effect.Clock
        : entry.Rule == Rules.Randomness ? Effect.Chance
        : space.StartsWith("System.Net", StringComparison.Ordinal) ? Effect.Network
        : Effect.Disk;
}
