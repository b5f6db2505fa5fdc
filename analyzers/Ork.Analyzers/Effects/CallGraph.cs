using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Effects;

/// <summary>A call, in the member that makes it.</summary>
/// <param name="Caller">The member; what stands in lambdas and local functions counts as the member's around them.</param>
/// <param name="Callee">What is called, as declared.</param>
/// <param name="At">Where.</param>
internal sealed record CallSite(ISymbol Caller, ISymbol Callee, Location At);

/// <summary>Who calls whom in a compilation, interfaces and overrides included.</summary>
internal sealed class CallGraph
{
    private readonly ConcurrentBag<CallSite> _calls = [];
    private ILookup<ISymbol, CallSite>? _byCallee;
    private ILookup<ISymbol, CallSite>? _byCaller;

    internal void Add(ISymbol caller, ISymbol callee, SyntaxNode at) => _calls.Add(new CallSite(MemberOf(caller), MemberOf(callee), at.GetLocation()));

    /// <summary>Accessors count as their property.</summary>
    internal static ISymbol MemberOf(ISymbol symbol) => (symbol is IMethodSymbol { AssociatedSymbol: { } property } ? property : symbol).OriginalDefinition;

    internal IEnumerable<CallSite> From(ISymbol caller)
    {
        _byCaller ??= _calls.ToLookup(call => call.Caller, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default);
        return _byCaller[caller];
    }

    /// <summary>The shortest chain of calls that leads from a member nobody calls to this one; empty where nobody calls it.</summary>
    internal IReadOnlyList<CallSite> ChainTo(ISymbol member)
    {
        var next = new Dictionary<ISymbol, CallSite>(SymbolEqualityComparer.Default);
        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default) { member };
        var queue = new Queue<ISymbol>();
        queue.Enqueue(member);
        var furthest = member;
        while (queue.Count > 0)
        {
            var at = queue.Dequeue();
            furthest = at;
            var isRoot = true;
            foreach (var call in CallsOf(at).OrderBy(call => call.At.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(call => call.At.SourceSpan.Start))
            {
                if (!seen.Add(call.Caller)) continue;
                isRoot = false;
                next[call.Caller] = call;
                queue.Enqueue(call.Caller);
            }

            if (isRoot) break;
        }

        var chain = new List<CallSite>();
        for (var at = furthest; next.TryGetValue(at, out var call); at = StepTo(call, next, member)) chain.Add(call);
        return chain;
    }

    private static ISymbol StepTo(CallSite call, Dictionary<ISymbol, CallSite> next, ISymbol member)
    {
        if (SymbolEqualityComparer.Default.Equals(call.Callee, member) || next.ContainsKey(call.Callee)) return call.Callee;

        // Called by its interface or base: the member stands in for what was named.
        return next.Keys.Append(member).FirstOrDefault(candidate => StandsFor(candidate, call.Callee)) ?? member;
    }

    private IEnumerable<CallSite> CallsOf(ISymbol member)
    {
        _byCallee ??= _calls.ToLookup(call => call.Callee, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default);
        return Declarations(member).SelectMany(declared => _byCallee[declared]);
    }

    private static bool StandsFor(ISymbol member, ISymbol declared) => Declarations(member).Contains(declared, SymbolEqualityComparer.Default);

    /// <summary>All that a call may name to reach a member: itself, what it overrides, and what it implements.</summary>
    private static IEnumerable<ISymbol> Declarations(ISymbol member)
    {
        yield return member;
        var overridden = member is IMethodSymbol method ? method.OverriddenMethod : (ISymbol?)(member as IPropertySymbol)?.OverriddenProperty;
        for (; overridden is not null; overridden = (overridden as IMethodSymbol)?.OverriddenMethod) yield return overridden.OriginalDefinition;
        if (member.ContainingType is not { } type || member.IsStatic) yield break;
        foreach (var contract in type.AllInterfaces)
        {
            foreach (var declared in contract.GetMembers())
            {
                if (SymbolEqualityComparer.Default.Equals(type.FindImplementationForInterfaceMember(declared)?.OriginalDefinition,
                    member)) yield return declared.OriginalDefinition;
            }
        }
    }
}
