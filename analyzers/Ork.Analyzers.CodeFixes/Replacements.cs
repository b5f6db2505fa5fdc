using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Ork.Analyzers.CodeFixes;

/// <summary>Works out the fix of each diagnostic; null where there is none without a decision.</summary>
internal static class Replacements
{
    private const string Ports = "Ork.Protocol";

    internal static Replacement? For(string id, SyntaxNode node, SemanticModel model, CancellationToken cancellation)
    {
        if (node is ArgumentSyntax argument) node = argument.Expression;
        var symbol = model.GetSymbolInfo(node, cancellation).Symbol;
        if (id == Rules.WallClock.Id) return Clock(node, symbol, model);
        if (id == Rules.Randomness.Id) return Chance(node, symbol, model);
        if (id == Rules.Escape.Id) return Escape(node, symbol, model);
        return Unmodelled(node, symbol, model, cancellation);
    }

    private static Replacement? Clock(SyntaxNode node, ISymbol? symbol, SemanticModel model)
    {
        if (symbol is null || AtHand.Find(model, node.SpanStart, AtHand.TimeProvider) is not { } time || time == node.ToString()) return null;
        var text = (symbol.ContainingType?.Name, symbol.Name) switch
        {
            ("DateTime", "UtcNow") => $"{time}.GetUtcNow().UtcDateTime",
            ("DateTime", "Now") => $"{time}.GetLocalNow().DateTime",
            ("DateTime", "Today") => $"{time}.GetLocalNow().Date",
            ("DateTimeOffset", "UtcNow") => $"{time}.GetUtcNow()",
            ("DateTimeOffset", "Now") => $"{time}.GetLocalNow()",
            ("Stopwatch", "GetTimestamp") => node is InvocationExpressionSyntax ? $"{time}.GetTimestamp()" : $"{time}.GetTimestamp",
            ("Stopwatch", "GetElapsedTime") when node is InvocationExpressionSyntax call => $"{time}.GetElapsedTime{call.ArgumentList}",
            ("TimeProvider", "System") => time,
            _ => null,
        };
        return text is null ? null : One("clock", $"Use {time}", node, text);
    }

    private static Replacement? Chance(SyntaxNode node, ISymbol? symbol, SemanticModel model)
    {
        if (AtHand.Find(model, node.SpanStart, AtHand.Entropy) is not { } entropy) return null;
        if (symbol is { ContainingType.Name: "Guid", Name: "NewGuid" or "CreateVersion7" } && node is InvocationExpressionSyntax { ArgumentList.Arguments.Count: 0 })
        {
            return AtHand.Find(model, node.SpanStart, AtHand.TimeProvider) is { } time
                ? One("chance", $"Use {entropy}", node, $"{entropy}.NextId({time}.GetUtcNow().ToUnixTimeMilliseconds())", Ports) : null;
        }

        // Random.Shared is told; what is drawn from it is what is replaced.
        if (symbol is not { ContainingType.Name: "Random", Name: "Shared" }
            || node.Parent is not MemberAccessExpressionSyntax { Parent: InvocationExpressionSyntax draw } drawn) return null;
        var arguments = draw.ArgumentList.Arguments.Select(argument => argument.ToString()).ToArray();
        var text = (drawn.Name.Identifier.Text, arguments) switch
        {
            ("Next", [var limit]) => $"(int){entropy}.Below({limit})",
            ("Next", [var from, var to]) => $"({from} + (int){entropy}.Below({to} - {from}))",
            ("NextInt64", [var limit]) => $"{entropy}.Below({limit})",
            ("NextInt64", [var from, var to]) => $"({from} + {entropy}.Below({to} - {from}))",
            _ => null,
        };
        return text is null ? null : One("chance", $"Use {entropy}", draw, text, Ports);
    }

    private static Replacement? Escape(SyntaxNode node, ISymbol? symbol, SemanticModel model)
    {
        if (symbol is IMethodSymbol { Name: "ConfigureAwait" }) return WithoutConfigureAwait(node);
        if (symbol is not IMethodSymbol method || AtHand.Find(model, node.SpanStart, AtHand.TimeProvider) is not { } time) return null;
        var list = node switch
        {
            InvocationExpressionSyntax call => call.ArgumentList,
            BaseObjectCreationExpressionSyntax creation => creation.ArgumentList,
            _ => null,
        };
        var takesTime = (method.ContainingType.Name, method.Name) is ("Task", "Delay" or "WaitAsync") or ("CancellationTokenSource" or "PeriodicTimer", ".ctor");
        if (!takesTime || list is null || list.Arguments.Count == 0) return null;
        var pause = list.Arguments[0];
        if (method.Parameters[0].Type.SpecialType == SpecialType.System_Int32) pause = pause.WithExpression(SyntaxFactory.ParseExpression($"TimeSpan.FromMilliseconds({pause.Expression})"));
        var arguments = list.Arguments.Replace(list.Arguments[0], pause).Insert(1, SyntaxFactory.Argument(SyntaxFactory.ParseExpression(time)));
        var text = string.Join(", ", arguments.Select(argument => argument.ToString()));
        return Nodes("time", $"Pass {time}", (list, SyntaxFactory.ParseArgumentList($"({text})")));
    }

    private static Replacement? Unmodelled(SyntaxNode node, ISymbol? symbol, SemanticModel model, CancellationToken cancellation)
    {
        if (symbol is IMethodSymbol { Name: "ConfigureAwait" }) return WithoutConfigureAwait(node);
        if (symbol is IMethodSymbol { Name: "WhenAll" or "WhenAny", ContainingType.Name: "Task" } method
            && node is InvocationExpressionSyntax call) return AsArray(call, method, model);
        return symbol is IMethodSymbol { MethodKind: MethodKind.Constructor, ContainingType.Name: "Lock" }
            && node is BaseObjectCreationExpressionSyntax made ? AsObject(made, model, cancellation) : null;
    }

    private static Replacement? WithoutConfigureAwait(SyntaxNode node) => node is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access }
        ? Nodes("await", "Remove ConfigureAwait", (node, access.Expression)) : null;

    private static Replacement? AsArray(InvocationExpressionSyntax call, IMethodSymbol method, SemanticModel model)
    {
        var element = method.TypeArguments is [var result] ? $"Task<{result.ToMinimalDisplayString(model, call.SpanStart)}>" : "Task";
        var items = call.ArgumentList.Arguments is [{ Expression: CollectionExpressionSyntax collection }]
            ? string.Join(", ", collection.Elements.Select(item => item.ToString()))
            : string.Join(", ", call.ArgumentList.Arguments.Select(argument => argument.ToString()));
        return Nodes("array", "Pass an array", (call.ArgumentList, SyntaxFactory.ParseArgumentList($"(new {element}[] {{ {items} }})")));
    }

    /// <summary>A Lock in a field, a property or a local becomes an object; what enters it by itself is left for its author.</summary>
    private static Replacement? AsObject(BaseObjectCreationExpressionSyntax made, SemanticModel model, CancellationToken cancellation)
    {
        var declared = made.FirstAncestorOrSelf<VariableDeclarationSyntax>()?.Type ?? made.FirstAncestorOrSelf<PropertyDeclarationSyntax>()?.Type;
        if (declared is null) return null;
        var nodes = new List<(SyntaxNode, SyntaxNode)>();
        if (model.GetTypeInfo(declared, cancellation).Type?.Name == "Lock" && !declared.IsVar)
        {
            var core = declared is NullableTypeSyntax nullable ? nullable.ElementType : declared;
            nodes.Add((core, SyntaxFactory.PredefinedType(SyntaxFactory.Token(SyntaxKind.ObjectKeyword))));
        }

        if (made is ObjectCreationExpressionSyntax explicitly) nodes.Add((explicitly.Type, SyntaxFactory.PredefinedType(SyntaxFactory.Token(SyntaxKind.ObjectKeyword))));
        return nodes.Count == 0 ? null : Nodes("lock", "Lock an object", [.. nodes]);
    }

    private static Replacement One(string kind, string title, SyntaxNode node, string text, string? import = null) =>
        new(kind, title, new Dictionary<SyntaxNode, SyntaxNode> { [node] = SyntaxFactory.ParseExpression(text) }, import);

    private static Replacement Nodes(string kind, string title, params (SyntaxNode From, SyntaxNode To)[] nodes) =>
        new(kind, title, nodes.ToDictionary(node => node.From, node => node.To));
}
